"""Preprocessing and outputs of a network, from the JSON files beside it.

The keys are those of Hugging Face's image processors and configurations (``transformers``): the folder of an
``optimum`` export, with ``model.onnx``, ``preprocessor_config.json`` and ``config.json``, is read as it is. For any
other network the same keys go into one file with the network's name, ``smile.json`` for ``smile.onnx``; no other
file is read then. Nothing in these files is executed.
"""

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from stylegan_latents.editing.discovery.scorers.preprocessing import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    Colour,
    Preprocessing,
    Resampling,
)
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.reading.files import read_regular

Outputs = Literal["scores", "logits", "probabilities"]

_PROCESSOR, _CONFIG = "preprocessor_config.json", "config.json"
_KINDS: tuple[Outputs, ...] = ("scores", "logits", "probabilities")
_PROBLEMS: dict[str, Outputs] = {
    "single_label_classification": "logits", "multi_label_classification": "scores", "regression": "scores",
}  # fmt: skip
_KNOWN = (
    "do_resize", "size", "resample", "do_center_crop", "crop_size", "crop_pct", "do_rescale", "rescale_factor",
    "rescale_offset", "do_normalize", "image_mean", "image_std", "include_top", "do_flip_channel_order",
    "data_format", "id2label", "problem_type", "architectures", "outputs",
)  # fmt: skip
# A folder's config.json may belong to anything; these keys of Hugging Face's are used.
_OF_CONFIG = ("id2label", "problem_type", "architectures")
# Pillow's numbers; torch has no Lanczos, and bicubic is next to it.
_RESAMPLING: dict[object, Resampling] = {0: "nearest-exact", 1: "bicubic", 2: "bilinear", 3: "bicubic"}
_LARGEST_FILE = 4 << 20
_LARGEST_SIDE, _CONVNEXT_WHOLE = 8192, 384
_LIKE_A_SLIP = 0.85


@dataclass(frozen=True)
class NetworkSettings:
    """Preprocessing and outputs of a network.

    Attributes:
        preprocessing: of its pictures.
        names: of its outputs; None if unknown.
        outputs: ``scores``, numbers to take as they are; ``logits`` of classes of which a picture has one;
            ``probabilities``. None if unknown.
        files: what was read.
    """

    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    names: tuple[str, ...] | None = None
    outputs: Outputs | None = None
    files: tuple[Path, ...] = ()


def read_settings(network: Path) -> NetworkSettings:
    """Read the settings of a network from the files beside it; the defaults without any.

    ``NAME.json`` beside ``NAME.onnx`` is read alone, without it ``preprocessor_config.json`` and ``config.json``.
    They may hold:

    - ``size``: a side, or ``{"height": 218, "width": 178}``, or ``{"shortest_edge": 256}``; ``crop_size`` with
      ``do_center_crop``, or ``crop_pct``; ``resample``: 0 nearest, 2 bilinear, 3 bicubic;
    - ``rescale_factor`` of values from 0 to 255, 1/255 by default, ``do_rescale`` false for none,
      ``rescale_offset`` true to subtract 1 after it;
    - ``image_mean`` and ``image_std``, ``do_normalize`` false for none: by default ImageNet's, or none where a
      scale is given;
    - ``do_flip_channel_order`` true for blue first, ``data_format`` ``channels_last``;
    - ``id2label``: names of the outputs, ``{"0": "neutral", "1": "smiling"}`` or a list;
    - ``outputs``: ``scores``, ``logits`` or ``probabilities``; or ``problem_type`` as Hugging Face has it.

    Raises:
        InputError: a file cannot be read, or holds an invalid value.
    """
    own = network.with_suffix(".json")
    if own.is_file():
        values = _read(own)
        _check_keys(values, own)
        return _settings(_Reader(values, dict.fromkeys(_KNOWN, own)))
    reader = _Reader({}, {})
    for name, keys in ((_PROCESSOR, _KNOWN), (_CONFIG, _OF_CONFIG)):
        path = network.with_name(name)
        content = _read(path) if path.is_file() else {}
        said = {key: content[key] for key in keys if key in content}
        reader = _Reader(reader.values | said, reader.origins | dict.fromkeys(said, path))
    return _settings(reader)


def _read(path: Path) -> dict[str, object]:
    try:
        content: object = json.loads(read_regular(path, largest=_LARGEST_FILE).decode("utf-8-sig"))
    except (InputError, ValueError, RecursionError) as error:
        raise InputError(f"{path} cannot be read as JSON; correct it, or move it away.") from error
    if not isinstance(content, dict):
        raise InputError(f'{path} has to hold a JSON object, such as {{"size": 224}}; correct it, or move it away.')
    return content


def _check_keys(values: Mapping[str, object], path: Path) -> None:
    """Raise InputError for misspelt settings."""
    for key in values:
        near = difflib.get_close_matches(key, _KNOWN, 1, _LIKE_A_SLIP) if key not in _KNOWN else []
        if near:
            raise InputError(f"{path} has the unknown key '{key}'; did you mean {near[0]}?")
    if not set(values) & set(_KNOWN):
        raise InputError(
            f"{path} has none of a network's settings, such as size, image_mean, image_std or id2label; move it "
            "away if it belongs to something else."
        )


def _settings(reader: "_Reader") -> NetworkSettings:
    values = reader.values
    size, resized = reader.sizes()
    scale, offset = reader.scaling()
    mean, std = reader.normalisation()
    data_format = values.get("data_format")
    if data_format not in (None, "channels_first", "channels_last"):
        raise reader.wrong("data_format", "channels_first or channels_last")
    resample = values.get("resample", 2)
    if not isinstance(resample, int):
        raise reader.wrong("resample", "0 (nearest), 2 (bilinear) or 3 (bicubic)")
    preprocessing = Preprocessing(
        size, resized, _RESAMPLING.get(resample, "bilinear"), scale, offset, mean, std,
        bgr=reader.flag("do_flip_channel_order", False),
        channels_last=None if data_format is None else data_format == "channels_last",
    )  # fmt: skip
    return NetworkSettings(preprocessing, reader.names(), reader.outputs(), reader.files)


class _Reader:
    """Reads the values of settings; errors name the file and the key.

    Args:
        values: by key.
        origins: the file of each.
    """

    def __init__(self, values: Mapping[str, object], origins: Mapping[str, Path]) -> None:
        self.values, self.origins = dict(values), dict(origins)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of the values."""
        return tuple(dict.fromkeys(self.origins[key] for key in self.values if key in self.origins))

    def wrong(self, key: str, wanted: str) -> InputError:
        said = json.dumps(self.values.get(key))
        return InputError(f"{self.origins[key]} says {said[:60]} for {key}, which has to be {wanted}.")

    def flag(self, key: str, usual: bool) -> bool:
        value = self.values.get(key, usual)
        if not isinstance(value, bool | None):
            raise self.wrong(key, "true or false")
        return usual if value is None else value

    def number(self, key: str, usual: float) -> float:
        value = self.values.get(key)
        if value is None:
            return usual
        if not _is_number(value) or not cast(float, value) > 0:
            raise self.wrong(key, "a number above 0")
        return float(cast(float, value))

    def sizes(self) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
        """(height, width) of the network's input, and of the resized picture that it is cropped from."""
        size = self._size("size") if self.flag("do_resize", True) else None
        if self.flag("do_center_crop", False) and self.values.get("crop_size") is not None:
            crop = self._size("crop_size")
            if size is not None and crop is not None and (crop[0] > size[0] or crop[1] > size[1]):
                raise self.wrong("crop_size", f"at most the size, {size[1]} x {size[0]}")
            return crop, size
        part = self.number("crop_pct", 1.0)
        if part > 1:
            raise self.wrong("crop_pct", "a part from 0 to 1")
        # ConvNeXt's rule, whose processor alone has that key: from 384 on nothing is cut off.
        if size is None or part == 1 or size[0] >= _CONVNEXT_WHOLE:
            return size, None
        return size, (int(size[0] / part), int(size[1] / part))

    def _size(self, key: str) -> tuple[int, int] | None:
        value = self.values.get(key)
        if isinstance(value, dict):
            edge = value.get("shortest_edge")
            sides = [edge, edge] if edge is not None else [value.get("height"), value.get("width")]
        else:
            sides = value if isinstance(value, list) else [value, value]
        if value is None:
            return None
        whole = [side for side in sides if isinstance(side, int) and 0 < side <= _LARGEST_SIDE and side is not True]
        if len(sides) != 2 or len(whole) != 2:
            raise self.wrong(key, 'a side in pixels, such as 224, or {"height": 224, "width": 224}')
        return whole[0], whole[1]

    def scaling(self) -> tuple[float, float]:
        factor = self.number("rescale_factor", 1 / 255)
        scale = factor if self.flag("do_rescale", True) else 1.0
        return scale, -1.0 if self.flag("rescale_offset", False) else 0.0

    def normalisation(self) -> tuple[Colour, Colour]:
        given = [key for key in ("image_mean", "image_std") if self.values.get(key) is not None]
        scaled = any(key in self.values for key in ("do_rescale", "rescale_factor", "rescale_offset"))
        if not self.flag("do_normalize", bool(given) or not scaled):
            return (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
        if not given:
            return IMAGENET_MEAN, IMAGENET_STD
        if len(given) == 1:
            raise InputError(
                f"{self.origins[given[0]]} says {given[0]} alone; image_mean and image_std go together."
            )
        mean, std = self._colour("image_mean"), self._colour("image_std")
        if 0 in std:
            raise self.wrong("image_std", "other than 0")
        if self.flag("include_top", False):  # EfficientNet's, which divides twice
            std = (std[0] ** 2, std[1] ** 2, std[2] ** 2)
        return mean, std

    def _colour(self, key: str) -> Colour:
        value = self.values[key]
        three = value if isinstance(value, list) else [value] * 3
        if len(three) != 3 or not all(_is_number(one) for one in three):
            raise self.wrong(key, "three numbers, for red, green and blue")
        red, green, blue = (float(cast(float, one)) for one in three)
        return red, green, blue

    def names(self) -> tuple[str, ...] | None:
        labels = self.values.get("id2label")
        if labels is None:
            return None
        if isinstance(labels, dict):
            wanted = [str(index) for index in range(len(labels))]
            named = [labels[key] for key in wanted] if set(labels) == set(wanted) else []
        else:
            named = labels if isinstance(labels, list) else []
        if not named or not all(isinstance(name, str) and name.strip() for name in named):
            raise self.wrong("id2label", 'a name for each output, such as {"0": "neutral", "1": "smiling"}')
        if len(set(named)) != len(named):
            raise self.wrong("id2label", "a name of its own for each output")
        return tuple(named)

    def outputs(self) -> Outputs | None:
        given, problem = self.values.get("outputs"), self.values.get("problem_type")
        if given is not None:
            if given not in _KINDS:
                raise self.wrong("outputs", "scores, logits or probabilities")
            return given
        if problem is not None:
            if problem not in _PROBLEMS:
                raise self.wrong("problem_type", ", ".join(_PROBLEMS))
            return _PROBLEMS[str(problem)]
        # The default of Hugging Face's classifiers.
        built = self.values.get("architectures")
        classifier = isinstance(built, list) and any(str(one).endswith("ForImageClassification") for one in built)
        return "logits" if classifier else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
