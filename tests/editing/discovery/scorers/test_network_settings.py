"""What the files beside a network say of its pictures and its outputs."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from stylegan_latents.editing.discovery.scorers.classifier import ClassifierScorer
from stylegan_latents.editing.discovery.scorers.network_settings import NetworkSettings, read_settings
from stylegan_latents.editing.discovery.scorers.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from stylegan_latents.generator.errors import InputError
from tests.editing.discovery.onnx_files import mean_of_channels

HALF = [0.5, 0.5, 0.5]


def _told(folder: Path, content: object, name: str = "smile.json") -> NetworkSettings:
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return read_settings(folder / "smile.onnx")


def _values(preprocessing: Preprocessing, *colour: float) -> list[float]:
    """What a picture of one colour, from 0 to 255, becomes."""
    image = (torch.tensor(colour) / 127.5 - 1)[None, :, None, None].expand(1, 3, 20, 20)
    pixels = preprocessing(image, preprocessing.size or (8, 8))
    assert np.ptp(pixels, axis=(2, 3)).max() < 1e-3
    return [float(one) for one in pixels[0, :, 0, 0]]


def test_nothing_beside_it_is_imagenet_s_way(tmp_path: Path) -> None:
    assert read_settings(tmp_path / "smile.onnx") == NetworkSettings()
    wanted = (np.array([0, 0.2, 1]) - IMAGENET_MEAN) / IMAGENET_STD
    assert _values(Preprocessing(), 0, 51, 255) == pytest.approx(wanted, abs=1e-5)


def test_an_export_of_a_hugging_face_classifier_loads_as_it_is(tmp_path: Path) -> None:
    processor = {
        "_valid_processor_keys": ["images", "do_resize"], "do_normalize": True, "do_rescale": True,
        "do_resize": True, "image_mean": HALF, "image_std": HALF, "image_processor_type": "ViTImageProcessor",
        "resample": 2, "rescale_factor": 0.00392156862745098, "size": {"height": 16, "width": 16},
    }  # fmt: skip
    config = {
        "architectures": ["ViTForImageClassification"], "id2label": {"1": "smiling", "0": "neutral", "2": "sad"},
        "image_size": 16, "size": 99,
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(processor))
    scorer = ClassifierScorer(mean_of_channels(tmp_path / "model.onnx", "b", "c", "h", "w"))
    assert scorer.names == ("neutral", "smiling", "sad")
    assert scorer.size == (16, 16)
    assert scorer.outputs == "logits"
    assert _values(scorer.preprocessing, 0, 127.5, 255) == pytest.approx([-1, 0, 1], abs=1e-5)
    (note,) = scorer.notes
    assert "16 x 16 pixels, RGB, values from -1 to 1, as preprocessor_config.json and config.json say" in note


def test_a_file_of_its_own_name_is_read_alone(tmp_path: Path) -> None:
    (tmp_path / "preprocessor_config.json").write_text("no JSON")
    (tmp_path / "config.json").write_text(json.dumps({"id2label": ["a", "b"]}))
    told = _told(tmp_path, {"size": 96, "id2label": ["tall"], "outputs": "probabilities"})
    assert (told.preprocessing.size, told.names, told.outputs) == ((96, 96), ("tall",), "probabilities")
    assert told.files == (tmp_path / "smile.json",)


@pytest.mark.parametrize(
    ("content", "values"),
    [
        ({"do_normalize": False}, (0, 0.2, 1)),
        ({"do_rescale": False}, (0, 51, 255)),
        ({"rescale_factor": 1}, (0, 51, 255)),
        ({"rescale_factor": 1 / 127.5, "rescale_offset": True}, (-1, -0.6, 1)),
        ({"image_mean": 0.5, "image_std": 0.5}, (-1, -0.6, 1)),
        ({"image_mean": [100, 51, 0], "image_std": [1, 1, 5], "do_rescale": False}, (-100, 0, 51)),
        ({"do_normalize": False, "do_flip_channel_order": True}, (1, 0.2, 0)),
        ({"image_mean": HALF, "image_std": HALF, "include_top": True}, (-2, -1.2, 2)),
        ({"size": 9, "image_mean": None}, tuple((np.array([0, 0.2, 1]) - IMAGENET_MEAN) / IMAGENET_STD)),
    ],
)
def test_values_are_what_the_file_says(
    tmp_path: Path, content: dict[str, object], values: tuple[float, ...]
) -> None:
    told = _told(tmp_path, content)
    assert _values(told.preprocessing, 0, 51, 255) == pytest.approx(values, abs=1e-4)


@pytest.mark.parametrize(
    ("content", "size", "resized"),
    [
        ({"size": 64}, (64, 64), None),
        ({"size": {"height": 218, "width": 178}}, (218, 178), None),
        ({"size": {"shortest_edge": 256}, "crop_size": 224}, (256, 256), None),
        ({"size": {"shortest_edge": 256}, "crop_size": 224, "do_center_crop": True}, (224, 224), (256, 256)),
        ({"size": {"shortest_edge": 224}, "crop_pct": 0.875}, (224, 224), (256, 256)),
        ({"size": {"shortest_edge": 384}, "crop_pct": 0.875}, (384, 384), None),
        ({"size": 64, "do_resize": False}, None, None),
    ],
)
def test_sizes_are_what_the_file_says(
    tmp_path: Path, content: dict[str, object], size: tuple[int, int] | None, resized: tuple[int, int] | None
) -> None:
    told = _told(tmp_path, content).preprocessing
    assert (told.size, told.resized) == (size, resized)


def test_the_centre_is_cut_out(tmp_path: Path) -> None:
    told = _told(
        tmp_path, {"size": 8, "crop_size": 4, "do_center_crop": True, "do_normalize": False, "resample": 0}
    )
    image = torch.full((1, 3, 8, 8), -1.0)
    image[..., 2:6, 2:6] = 1
    assert told.preprocessing(image, (4, 4)).min() == 1
    assert told.preprocessing.resampling == "nearest-exact"


@pytest.mark.parametrize(
    ("content", "outputs"),
    [
        ({"problem_type": "multi_label_classification"}, "scores"),
        ({"problem_type": "single_label_classification"}, "logits"),
        ({"architectures": ["ResNetForImageClassification"]}, "logits"),
        ({"architectures": ["ViTForImageClassification"], "problem_type": "regression"}, "scores"),
        ({"outputs": "scores", "problem_type": "single_label_classification"}, "scores"),
        ({"size": 8}, None),
    ],
)
def test_what_the_outputs_are(tmp_path: Path, content: dict[str, object], outputs: str | None) -> None:
    assert _told(tmp_path, content).outputs == outputs


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "cannot be read as JSON"),
        ("[1]", "has to hold a JSON object"),
        ({"voice": "amy"}, "has none of a network's settings"),
        ({"image_men": HALF}, "has the unknown key 'image_men'; did you mean image_mean?"),
        ({"image_mean": HALF}, "says image_mean alone"),
        ({"image_mean": [0.5, 0.5], "image_std": HALF}, "for image_mean, which has to be three numbers"),
        ({"image_mean": ["0.5", 0, 0], "image_std": HALF}, "for image_mean, which has to be three numbers"),
        ('{"image_mean": 0.5, "image_std": NaN}', "for image_std, which has to be three numbers"),
        ({"image_mean": HALF, "image_std": [1, 0, 1]}, "for image_std, which has to be other than 0"),
        ({"rescale_factor": 0}, "for rescale_factor, which has to be a number above 0"),
        ({"do_rescale": "no"}, "for do_rescale, which has to be true or false"),
        ({"size": "big"}, "for size, which has to be a side in pixels"),
        ({"size": {"height": 224}}, "for size, which has to be a side in pixels"),
        ({"size": 0}, "for size, which has to be a side in pixels"),
        ({"size": [224, 224, 3]}, "for size, which has to be a side in pixels"),
        ({"size": 99999}, "for size, which has to be a side in pixels"),
        ({"size": 64, "crop_size": 96, "do_center_crop": True}, "for crop_size, which has to be at most the size"),
        ({"size": 64, "crop_pct": 1.5}, "for crop_pct, which has to be a part"),
        ({"data_format": "NHWC"}, "for data_format, which has to be channels_first or channels_last"),
        ({"resample": "bicubic"}, "for resample, which has to be 0"),
        ({"id2label": {"0": "a", "2": "b"}}, "for id2label, which has to be a name for each output"),
        ({"id2label": ["a", "a"]}, "a name of its own for each output"),
        ({"id2label": []}, "for id2label, which has to be a name for each output"),
        ({"outputs": "softmax"}, "for outputs, which has to be scores, logits or probabilities"),
        ({"problem_type": "guess"}, "for problem_type, which has to be"),
    ],
)
def test_what_makes_no_sense_is_said_in_one_sentence(tmp_path: Path, content: object, said: str) -> None:
    with pytest.raises(InputError) as caught:
        _told(tmp_path, content)
    message = str(caught.value)
    assert said in message
    assert message.startswith(str(tmp_path / "smile.json"))
    assert message.endswith((".", "?"))


def test_names_that_are_not_the_network_s_are_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"id2label": ["a", "b"]}))
    with pytest.raises(InputError, match=r"gives 3 numbers .* 2 names came from config\.json; .* in c\.json"):
        ClassifierScorer(mean_of_channels(tmp_path / "c.onnx", 1, 3, 8, 8))


def test_what_the_file_says_changes_the_version(tmp_path: Path) -> None:
    path = mean_of_channels(tmp_path / "c.onnx", 1, 3, 8, 8)
    before = ClassifierScorer(path).version
    (tmp_path / "c.json").write_text(json.dumps({"image_mean": 0.5, "image_std": 0.5}))
    assert ClassifierScorer(path).version != before
