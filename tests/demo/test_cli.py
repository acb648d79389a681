"""The command line of the demo."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from stylegan_latents.demo.cli import main
from stylegan_latents.demo.server.serve import clear_leftovers
from tests.demo.small_studio import save_wide_model


def test_help_needs_no_heavy_import() -> None:
    program = (
        "import sys; from stylegan_latents.demo.cli import main; main(['--help']); "
        "print([name for name in ('torch', 'gradio') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "--queue-size" in ended.stdout
    assert ended.stdout.rstrip().endswith("[]")


def test_a_port_that_is_taken_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert main(["--model", str(save_wide_model(tmp_path)), "--port", port]) == 2
    assert "give another --port" in capsys.readouterr().err


def test_a_model_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--model", "no-such-model"]) == 2
    assert "There is no model or file 'no-such-model'" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="only POSIX tells whether a process is there")
def test_what_a_killed_demo_left_is_deleted_and_a_living_ones_is_not(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead, living, other = (
        tmp_path / f"stylegan-demo-{name}" for name in (f"{ended.pid}-a", f"{os.getpid()}-b", "x")
    )
    for folder in (dead, living, other):
        folder.mkdir()
    clear_leftovers(tmp_path)
    assert [folder.exists() for folder in (dead, living, other)] == [False, True, True]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_demo_that_is_ended_leaves_no_file(tmp_path: Path) -> None:
    environment = os.environ | {"TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "demo", "--model", str(save_wide_model(tmp_path)), "--device", "cpu"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert "http://127.0.0.1:" in server.stdout.readline()
        assert any(tmp_path.glob("stylegan-demo-*"))
        server.terminate()
        assert server.wait(60) == 0
    assert not any(tmp_path.glob("stylegan-demo-*"))
