"""Hostile files of networks are read or refused: no code, no signal, no traceback, and within the budgets."""

import os
import random
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from safetensors.torch import save_file

from tests.hostile import headers, pickles
from tests.hostile.harness import Case, faults, run
from tests.hostile.honest import HONEST, honest_files
from tests.hostile.mutations import mutated


def _few(cases: Iterator[Case], every: int, first: int = 0) -> list[Case]:
    return list(cases)[first::every]


def _mutated(folder: Path, count: int) -> Iterator[Case]:
    source = random.Random(1)
    for reader in HONEST:
        for path in honest_files(reader, folder):
            for number in range(count):
                target = folder / f"mutated-{number}-{reader.replace(' ', '-')}-{path.name}"
                target.write_bytes(mutated(path.read_bytes(), source))
                yield Case(reader, target)


@pytest.mark.slow
def test_honest_files_are_read(tmp_path: Path) -> None:
    cases = [Case(reader, path) for reader in HONEST for path in honest_files(reader, tmp_path)]
    verdicts = run(cases)
    assert [fault for verdict in verdicts for fault in verdict.faults] == []
    unread = {(v.case.reader, v.case.path.name) for v in verdicts if v.outcome != "read"}
    # A ReStyle without its generator, and files in which the reader's part is not.
    assert {name for reader, name in unread if reader in ("generator", "pickle", "lpips", "training")} == set()


@pytest.mark.slow
def test_values_of_headers(tmp_path: Path) -> None:
    assert faults(_few(headers.values(tmp_path), 4)) == []


@pytest.mark.slow
def test_containers_and_tensors(tmp_path: Path) -> None:
    assert faults(_few(headers.containers(tmp_path), 2) + _few(headers.tensors(tmp_path), 3)) == []


@pytest.mark.slow
def test_pickles_run_nothing(tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    assert faults(pickles.code(tmp_path, marker), marker) == []
    assert not marker.exists()


@pytest.mark.slow
def test_archives_bombs_and_settings(tmp_path: Path) -> None:
    cases = [*pickles.archives(tmp_path), *pickles.bombs(tmp_path, count=5_000, size=1 << 16)]
    assert faults(cases + _few(pickles.settings(tmp_path), 4)) == []


@pytest.mark.slow
def test_files_that_are_cut_or_mutated(tmp_path: Path) -> None:
    assert faults(_few(pickles.cut(tmp_path), 3) + _few(_mutated(tmp_path, 1), 1)) == []


@pytest.mark.slow
def test_what_is_no_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.safetensors")
    (tmp_path / "zero.pt").symlink_to("/dev/zero")
    (tmp_path / "loop.pt").symlink_to(tmp_path / "loop.pt")
    (tmp_path / "dangling.pt").symlink_to(tmp_path / "nothing")
    (tmp_path / "folder.pt").mkdir()
    (tmp_path / "empty.pt").touch()
    (tmp_path / "name\x1b[2J\n.pt").write_bytes(b"PK nothing")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket.pt"))
        names = [path for path in sorted(tmp_path.iterdir()) if "name" not in path.name]
        verdicts = run(Case(reader, path) for reader in HONEST for path in names)
    assert [fault for verdict in verdicts for fault in verdict.faults] == []
    assert {v.outcome for v in verdicts if v.case.reader != "latent space"} == {"refused"}


@pytest.mark.slow
def test_files_that_are_cut_while_they_are_read(tmp_path: Path) -> None:
    import torch

    header = '{"kind": "training", "format": 1, "steps_done": 3, "about": {}}'
    cases = []
    for number in range(12):
        path = tmp_path / f"{number}.safetensors"
        save_file({f"a{k}": torch.ones(1 << 20) for k in range(10)}, path, {"stylegan-latents": header})
        reader = ("training", "generator", "encoder")[number % 3]
        cases.append(Case(reader, path, cut_after=0.001 * number))
    assert faults(cases) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", [headers.values, headers.containers, headers.tensors, pickles.bombs, pickles.settings, pickles.cut]
)
def test_all_of_a_kind(tmp_path: Path, kind) -> None:  # type: ignore[no-untyped-def]
    cases = list(kind(tmp_path))
    assert faults(cases) == []


@pytest.mark.slow
def test_many_mutations(tmp_path: Path) -> None:
    assert faults(_mutated(tmp_path, 10)) == []
