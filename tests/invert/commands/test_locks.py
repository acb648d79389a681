"""Another process that makes the same file is told of at once, and no longer than it lives."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.commands.locks import OutputLocks

ROOT = Path(__file__).parents[3]
HOLD = """
import sys
from pathlib import Path
from stylegan_latents.invert.commands.locks import OutputLocks
OutputLocks().take(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(name="cache", autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STYLEGAN_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(name="other")
def _other(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process, which has claimed ``me.inversion.safetensors``."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "me.inversion.safetensors")]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_what_another_process_makes_is_refused_until_it_ends(
    tmp_path: Path, other: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    locks = OutputLocks()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"Another run is making me\.inversion"):
        locks.take(Path("me.inversion.safetensors"))  # the same file, however it is named
    locks.take(tmp_path / "you.inversion.safetensors")
    other.kill()
    other.wait()
    locks.take(tmp_path / "me.inversion.safetensors")
    locks.close()
    assert [entry.name for entry in tmp_path.iterdir()] == ["cache"]


def test_what_is_released_can_be_claimed(tmp_path: Path) -> None:
    target = tmp_path / "me.inversion.safetensors"
    locks = OutputLocks()
    locks.take(target)
    command = [sys.executable, "-c", HOLD, str(target)]
    refused = subprocess.run(command, cwd=ROOT, input="", capture_output=True, text=True, check=False)
    assert "InputError: Another run is making" in refused.stderr
    locks.release(target)
    taken = subprocess.run(command, cwd=ROOT, input="", capture_output=True, text=True, check=False)
    assert (taken.returncode, taken.stdout) == (0, "held\n")
    locks.close()


def test_without_a_place_for_locks_nothing_is_refused(tmp_path: Path, cache: Path) -> None:
    cache.touch()
    locks = OutputLocks()
    locks.take(tmp_path / "me.inversion.safetensors")
    locks.release(tmp_path / "me.inversion.safetensors")
