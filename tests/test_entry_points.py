"""The console scripts are there, load nothing to begin with, and end in one line on Ctrl-C from the start."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COMMANDS = {"invert": "invert", "edit": "editing"}
PROGRAMS = COMMANDS | {"python -m demo": "demo"}


def test_the_console_scripts_are_what_is_tested_here() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    assert scripts == {
        command: f"stylegan_latents.{package}.__main__:main" for command, package in COMMANDS.items()
    }


@pytest.mark.parametrize(("command", "package"), PROGRAMS.items())
def test_ctrl_c_while_modules_are_imported(command: str, package: str) -> None:
    code = (
        "import sys\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'typer':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        f"from stylegan_latents.{package}.__main__ import main\n"
        "sys.exit(main())\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (130, "", f"{command}: Stopped.\n")


@pytest.mark.parametrize(("command", "package"), PROGRAMS.items())
def test_the_packages_run_as_modules(command: str, package: str) -> None:
    result = subprocess.run(
        [sys.executable, "-m", f"stylegan_latents.{package}", "--help"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert f"{command} " in result.stdout
