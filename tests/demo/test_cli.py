"""The command line of the demo."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from demo.cli import main
from tests.demo.small_studio import save_wide_model


def test_help_needs_no_heavy_import() -> None:
    program = (
        "import sys; from demo.cli import main; main(['--help']); "
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
