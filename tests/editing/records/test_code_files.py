"""Codes of other projects open wherever a record does, and give the pictures of the same code."""

import collections
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from stylegan_latents.editing.commands import cli
from stylegan_latents.editing.directions.catalogue import find_direction
from stylegan_latents.editing.records.codes import open_sources, read_sources
from stylegan_latents.editing.records.opened import OpenRecord
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.record.inversion import Inversion
from tests.editing.command_folder import MODEL, G, enter_folder, one_sentence
from tests.small_models import small_record

CODE = G.sample([3])  # of W: its rows are equal
PLUS = CODE + torch.linspace(-0.1, 0.1, CODE.numel()).reshape(CODE.shape)


@pytest.fixture(name="folder", autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return enter_folder(tmp_path, monkeypatch)


def _restyle(path: str) -> None:
    passes = [np.zeros((6, 8), np.float32), PLUS[0].numpy()]
    np.save(path, {"face.jpg": passes}, allow_pickle=True)  # type: ignore[arg-type]


WRITERS: dict[str, tuple[str, torch.Tensor, Callable[[str], object]]] = {
    "projected_w": ("projected_w.npz", PLUS, lambda path: np.savez(path, w=PLUS.numpy())),
    "this program's": ("mine.npz", PLUS, lambda path: small_record(G, ws=PLUS).save_npz(path)),
    "array": ("code.npy", PLUS, lambda path: np.save(path, PLUS.numpy())),
    "array of rows": ("code.npy", PLUS, lambda path: np.save(path, PLUS[0].numpy())),
    "upper case": (
        "CODE.NPY",
        PLUS,
        lambda path: Path("x.npy").rename(path) if np.save("x.npy", PLUS) is None else 0,
    ),
    "w in double precision": ("w.pt", CODE, lambda path: torch.save(CODE[0, 0].double(), path)),
    "one w": ("w.pt", CODE, lambda path: torch.save(CODE[:, 0], path)),
    "pivot of PTI": ("0.pt", PLUS, lambda path: torch.save(torch.nn.Parameter(PLUS), path)),
    "projection of rosinality": (
        "p.pt",
        PLUS,
        lambda path: torch.save(
            {"face.png": {"img": torch.zeros(3, 4, 4), "latent": PLUS[0], "noise": [torch.zeros(1, 1, 4, 4)]}}, path
        ),
    ),
    "list": ("l.pt", PLUS, lambda path: torch.save([PLUS], path)),
    "ordered dict": ("o.pt", PLUS, lambda path: torch.save(collections.OrderedDict(ws=PLUS, step=3), path)),
    "restyle": ("latents.npy", PLUS, _restyle),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_each_kind_is_the_code_of_the_model_that_is_given(kind: str) -> None:
    name, ws, write = WRITERS[kind]
    write(name)
    record = OpenRecord.of(name, model=MODEL[1], device="cpu")
    torch.testing.assert_close(record.ws, ws)
    assert record.inversion.fingerprint == G.fingerprint
    assert record.stem == Path(name).stem


def test_a_direction_is_applied_as_to_a_record(folder: Path) -> None:
    small_record(G, ws=PLUS).save("projected_w.inversion.safetensors")
    assert (
        cli.main(["projected_w.inversion.safetensors", "-d", "smile", "-s", "1", "--out", "one.png", *MODEL]) == 0
    )
    np.savez("projected_w.npz", w=PLUS.numpy())
    assert cli.main(["projected_w.npz", "--direction", "smile", "--strength", "1", *MODEL]) == 0
    assert (folder / "one.png").read_bytes() == (folder / "projected_w.smile+1.png").read_bytes()
    assert find_direction("smile", G)


def test_commands_take_it_beside_records_and_seeds(folder: Path) -> None:
    np.savez("projected_w.npz", w=PLUS.numpy())
    pair = ["projected_w.npz", "a.inversion.safetensors"]
    assert cli.main(["mix", *pair, "--out", "mixed.png", "--layers", "coarse", "--record", *MODEL]) == 0
    (mixed,) = folder.glob("mixed*.inversion.safetensors")
    assert Inversion.load(mixed).fingerprint == G.fingerprint
    assert cli.main(["grid", "projected_w.npz", "-d", "smile", "--steps", "2", *MODEL]) == 0
    _, codes = open_sources(
        read_sources(["projected_w.npz", "seed:1", "b.inversion.safetensors"]), model=MODEL[1], device="cpu"
    )
    torch.testing.assert_close(codes[0].ws, PLUS)


def test_one_of_several_codes_is_chosen_by_name_or_number() -> None:
    np.save("latents.npy", {"a.jpg": PLUS[0].numpy(), "b.jpg": CODE[0].numpy()}, allow_pickle=True)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"holds 2 codes \(a.jpg, b.jpg\); choose one, as latents.npy:a.jpg"):
        OpenRecord.of("latents.npy", model=MODEL[1])
    for choice in ("b.jpg", "1"):
        record = OpenRecord.of(f"latents.npy:{choice}", model=MODEL[1], device="cpu")
        torch.testing.assert_close(record.ws, CODE)
        assert record.stem == "latents-b.jpg"
    names = ["latents.npy:0", "latents.npy:1"]
    _, (one, other) = open_sources(read_sources(names), model=MODEL[1], device="cpu")
    torch.testing.assert_close(torch.cat([one.ws, other.ws]), torch.cat([PLUS, CODE]))


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.ones((1, 6, 9)), "a code of 6 rows of 9 values, and 'small' takes 6 of 8"),
        (np.arange(64.0).reshape(1, 8, 8), "a code of 8 rows of 8 values"),
        (np.full((1, 6, 8), np.nan), "not finite"),
        (np.array(["a"]), "other than an array of numbers"),
    ],
)
def test_what_does_not_fit_is_one_sentence(
    capsys: pytest.CaptureFixture[str], array: np.ndarray, words: str
) -> None:
    np.save("code.npy", array)
    assert cli.main(["code.npy", "-d", "smile", "-s", "1", *MODEL]) == 2
    assert words in one_sentence(capsys)


def test_objects_behind_an_array_run_nothing(folder: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return __import__("os").system, ("touch PWNED",)

    np.save("latents.npy", {"face.jpg": Evil()}, allow_pickle=True)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="system"):
        OpenRecord.of("latents.npy", model=MODEL[1])
    assert not (folder / "PWNED").exists()
