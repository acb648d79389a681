import math
from pathlib import Path

from stylegan_latents.invert.commands.jobs import Outputs
from stylegan_latents.invert.commands.messages import (
    describe_files,
    describe_metrics,
    describe_partial,
    suggest_evaluation,
)
from tests.small_models import small_generator, small_record

G = small_generator()


def test_metrics_are_told_in_words() -> None:
    record = small_record(G, metrics={"lpips_alex": [0.04], "psnr": [21.26], "identity": [0.35]})
    words = describe_metrics(record)
    assert "near to the photo (LPIPS 0.040" in words
    assert "PSNR 21.3 dB" in words
    assert "the same person (identity distance 0.35" in words
    far = describe_metrics(small_record(G, metrics={"lpips_alex": [0.4], "identity": [0.7]}))
    assert "far from the photo" in far
    assert "not surely the same person" in far


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


def test_a_report_tells_what_fills_it_in() -> None:
    assert suggest_evaluation(Path("my table.csv"), "ffhq").endswith("edit evaluate --report 'my table.csv'")
    assert suggest_evaluation(Path("table.csv"), "other.pkl") == ""
