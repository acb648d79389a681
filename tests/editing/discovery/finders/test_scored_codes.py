from pathlib import Path

import numpy as np
import pytest
import torch

from stylegan_latents.editing.directions.calibration import w_statistics
from stylegan_latents.editing.discovery.finders.scored_codes import ScoredCodes, read_scores
from stylegan_latents.generator.errors import InputError
from tests.odd_models import odd_generator
from tests.small_models import small_record

G = odd_generator()
AXES = torch.randn(2, G.w_dim, generator=torch.Generator().manual_seed(0)).double()


def _csv(path: Path, count: int = 400, extra: str = "") -> Path:
    w = G.sample(range(count), truncation=0.7)[:, 0].double()
    tall = w @ AXES[0]
    wide = w @ AXES[1] + 0.3 * tall
    lines = [f"{seed}, {float(a)},{float(b)}" for seed, (a, b) in enumerate(zip(tall, wide, strict=True))]
    path.write_text("\n".join(["seed,tall,wide", *lines]) + "\n" + extra)
    return path


def test_planted_directions_are_recovered_and_calibrated(tmp_path: Path) -> None:
    found = ScoredCodes(G, read_scores(_csv(tmp_path / "s.csv"), G)).directions(["tall", "wide"])
    assert [one.name for one in found] == ["tall", "wide"]
    statistics = w_statistics(G)
    for one, axis, other in zip(found, AXES, (AXES[1] + 0.3 * AXES[0], AXES[0]), strict=True):
        step = one.vector[0].double()
        assert torch.allclose(one.vector, one.vector[:1].expand_as(one.vector), atol=1e-4)
        assert float(step @ axis) > 0
        # What the other score is of does not move along.
        assert abs(float(step @ other)) < 0.15 * abs(float(step @ axis))
        spread = float((step.float() @ statistics.axes * statistics.deviations).norm())
        assert one.scale * float(step.norm()) ** 2 == pytest.approx(spread, rel=0.02)
        assert float(one.provenance["held_out_accuracy"]) > 0.9  # type: ignore[arg-type]


def test_truncations_empty_cells_and_columns_are_read(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text("\ufeffseed,truncation,tall\n3,0.5,1\n4,,\n5,1,nan\n")
    samples = read_scores(path, G)
    assert samples.names == ("tall",)
    assert np.isnan(samples.scores[:, 0]).tolist() == [False, True, True]
    assert samples.codes[0, 0] == pytest.approx(G.sample([3], truncation=0.5)[0, 0].numpy(), abs=1e-6)
    assert samples.codes[1, 2] == pytest.approx(G.sample([4], truncation=0.7)[0, 0].numpy(), abs=1e-6)
    assert samples.plain.all()


def test_seeds_of_pytorchs_random_numbers_have_a_column_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text("torch_seed,tall\n3,1\n")
    wanted = G.sample([3], truncation=0.7, random="torch")[0, 0]
    assert read_scores(path, G).codes[0, 0] == pytest.approx(wanted.numpy(), abs=1e-6)


def test_records_are_read_from_beside_the_file(tmp_path: Path) -> None:
    ws = G.sample([1])
    ws[:, G.rows("fine")] += 1
    small_record(G, ws=ws).save(tmp_path / "a.inversion.safetensors")
    (tmp_path / "s.csv").write_text("record,tall\na.inversion.safetensors,1\n")
    samples = read_scores(tmp_path / "s.csv", G)
    assert samples.codes[0, 2] == pytest.approx(samples.codes[0, 0] + 1, abs=1e-6)
    assert not samples.plain.any()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "needs a header"),
        ("seed\n1\n", "needs a header"),
        ("tall\n1\n", "needs a header"),
        ("seed,record,tall\n1,a,1\n", "needs a header"),
        ("seed,tall,tall\n1,2,3\n", "needs a header"),
        ("seed,tall\n", "holds no scores"),
        ("seed,tall\nx,1\n", "Line 2 .* seed"),
        ("seed,tall\n1,big\n", "Line 2 .* 'big'"),
        ("seed,tall\n1,2,3\n", "Line 2 .* more cells"),
        ("record,tall\nnobody.inversion.safetensors,1\n", "nobody"),
    ],
)
def test_malformed_files_are_said(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "s.csv").write_text(text)
    with pytest.raises(InputError, match=words):
        read_scores(tmp_path / "s.csv", G)


def test_sets_that_tell_nothing_are_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file"):
        read_scores(tmp_path / "missing.csv", G)
    few = read_scores(_csv(tmp_path / "few.csv", 20), G)
    with pytest.raises(InputError, match="at least 100 scored samples, not 20"):
        ScoredCodes(G, few)
    lines = "\n".join(f"{seed},1" for seed in range(150))
    (tmp_path / "same.csv").write_text(f"seed,tall\n{lines}\n")
    with pytest.raises(InputError, match="same for every sample"):
        ScoredCodes(G, read_scores(tmp_path / "same.csv", G))
    (tmp_path / "nan.csv").write_text("seed,tall\n" + "\n".join(f"{seed},nan" for seed in range(150)))
    with pytest.raises(InputError, match="Only 0 of 150"):
        ScoredCodes(G, read_scores(tmp_path / "nan.csv", G))
    half = "\n".join(f"{seed},{seed % 7},{'nan' if seed % 2 else seed % 5}" for seed in range(150))
    (tmp_path / "half.csv").write_text(f"seed,tall,wide\n{half}\n")
    with pytest.raises(InputError, match=r"Only 75 of 150 samples could be scored \('wide' of 75\)"):
        ScoredCodes(G, read_scores(tmp_path / "half.csv", G))
    finder = ScoredCodes(G, read_scores(_csv(tmp_path / "s.csv"), G))
    with pytest.raises(InputError, match="no score 'deep'"):
        finder.directions(["deep"])
    with pytest.raises(InputError, match="not '3-4'"):
        finder.directions(["tall"], layers="3-4")
