import dataclasses
import math
from pathlib import Path

from stylegan_latents.invert.commands.jobs import Outputs
from stylegan_latents.invert.commands.messages import (
    describe_choice,
    describe_files,
    describe_metrics,
    describe_partial,
    describe_small_face,
    suggest_edit,
    suggest_evaluation,
)
from tests.small_models import small_generator, small_record

G = small_generator()


def test_metrics_are_told_in_words() -> None:
    record = small_record(G, metrics={"lpips_alex": [0.04], "psnr": [21.26], "identity": [0.35]})
    words = describe_metrics(record)
    assert "close to the photo (LPIPS 0.040" in words
    assert "PSNR 21.3 dB" in words
    assert "the same person (identity distance 0.35" in words
    far = describe_metrics(small_record(G, metrics={"lpips_alex": [0.4], "identity": [0.7]}))
    assert "far from the photo" in far
    assert "perhaps not the same person" in far
    small = dataclasses.replace(record, settings={"compared_at": 180})
    assert "close to the photo at 180 pixels (LPIPS 0.040" in describe_metrics(small)


def test_what_was_not_measured_is_not_told() -> None:
    assert describe_metrics(small_record(G, metrics={})) == ""
    assert "identity" not in describe_metrics(small_record(G, metrics={"psnr": [20.0], "identity": [math.nan]}))


def test_files_and_a_stop_are_told() -> None:
    outputs = Outputs(Path("me.inversion.safetensors"), Path("me.inverted.png"), preview=Path("film.mp4"))
    assert describe_files(outputs) == "Wrote me.inversion.safetensors, me.inverted.png, film.mp4"
    assert describe_partial(small_record(G)) == ""
    assert "step 12" in describe_partial(small_record(G, settings={"stopped_at_step": 12}))


def test_a_search_that_diverged_is_told() -> None:
    assert "diverged at step 7" in describe_partial(small_record(G, settings={"diverged_at_step": 7}))
    ws = G.sample([0, 1])
    several = small_record(G, ws=ws, metrics={}, settings={"diverged_at_step": [None, 7]})
    assert [describe_partial(one) != "" for one in several.split()] == [False, True]


def test_what_comes_next_can_be_typed_as_it_is() -> None:
    record, words = Path("my photos/me.inversion.safetensors"), "--direction pose --strength 2"
    default = small_generator(latent_space="stylegan2-ffhq-w")
    assert suggest_edit(record, default, "a.pkl", words) == f"Next: edit '{record}' --direction pose --strength 2"
    unknown = suggest_edit(record, G, "a.pkl", words)
    assert unknown == f"Next: edit discover --model a.pkl --method sefa --record '{record}'"


def test_another_face_to_take_is_named() -> None:
    assert "which is --face 0, counted from the left and from 0; --face 1 takes another" in describe_choice(
        "me.png", 3, 0
    )
    assert "me.png shows 3 faces" in describe_choice("me.png", 3, 2)


def test_a_report_tells_what_fills_it_in() -> None:
    assert suggest_evaluation(Path("my table.csv"), "ffhq").endswith("edit evaluate --report 'my table.csv'")
    assert suggest_evaluation(Path("table.csv"), "other.pkl") == ""


def test_a_small_face_is_told_with_what_takes_another_resolution() -> None:
    words = describe_small_face("me.jpg", 46.4, 85, 1024)
    assert "me.jpg shows a face of only 46 pixels" in words
    assert "--low-resolution 85" in words
    assert "--low-resolution 1024" in words
