"""The console scripts are there, load nothing to begin with, and end in one line on Ctrl-C from the start."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COMMANDS = {
    "invert": "invert.__main__",
    "edit": "editing.__main__",
    "stylegan-latents": "demo.commands",
}
PROGRAMS = COMMANDS | {"stylegan-latents demo": "demo.__main__"}
# In a clone, from its root, and anywhere: the module that each command of stylegan-latents is in.
MODULES = {
    "demo": "demo",
    "convert": "generator.convert",
    "export": "encoders.export",
    "train": "encoders.train",
    "discover": "editing.discovery",
}


def test_the_console_scripts_are_what_is_tested_here() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    assert scripts == {command: f"stylegan_latents.{module}:main" for command, module in COMMANDS.items()}


@pytest.mark.parametrize(("command", "module"), PROGRAMS.items())
def test_ctrl_c_while_modules_are_imported(command: str, module: str) -> None:
    code = (
        "import sys\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'typer':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        f"from stylegan_latents.{module} import main\n"
        "sys.exit(main())\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (130, "", f"{command}: Stopped.\n")


@pytest.mark.parametrize(("command", "module"), PROGRAMS.items())
def test_the_packages_run_as_modules(command: str, module: str) -> None:
    result = _run("-m", f"stylegan_latents.{module.removesuffix('.__main__')}", "--help")
    assert result.returncode == 0, result.stderr
    assert f"{command} " in result.stdout


def test_the_help_of_stylegan_latents_lists_its_commands_and_loads_nothing_heavy() -> None:
    code = (
        "import sys; from stylegan_latents.demo.commands import main; main(['--help']); "
        "sys.exit(any(name in sys.modules for name in ('torch', 'numpy', 'PIL', 'gradio', 'accelerate')))"
    )
    result = _run("-c", code)
    assert result.returncode == 0, result.stderr
    assert all(f"{command} " in result.stdout for command in MODULES)


def test_the_version_is_told() -> None:
    result = _run("-m", "stylegan_latents.demo.commands", "--version")
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert (result.returncode, result.stdout) == (0, f"stylegan-latents {version}\n")


def test_what_no_command_is_called_is_told_in_one_line() -> None:
    result = _run("-m", "stylegan_latents.demo.commands", "trian")
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert "train" in result.stderr


def test_programs_of_their_own_are_named() -> None:
    result = _run("-m", "stylegan_latents.demo.commands", "invert", "my photo.jpg")
    assert result.returncode == 2
    assert result.stderr == "stylegan-latents: invert is a program of its own: invert 'my photo.jpg'\n"


@pytest.mark.slow
@pytest.mark.parametrize(("command", "module"), MODULES.items())
def test_a_command_is_found_by_its_name_and_its_module(command: str, module: str) -> None:
    expected = _run("-m", "stylegan_latents.demo.commands", command, "--help").stdout
    assert f"stylegan-latents {command} " in expected
    for name in (module, f"stylegan_latents.{module}"):
        assert _run("-m", name, "--help").stdout == expected


@pytest.mark.slow
def test_beside_files_of_the_same_names(tmp_path: Path) -> None:
    for name in ("generator.py", "encoders.py", "invert.py", "editing.py"):
        (tmp_path / name).write_text("raise RuntimeError('another program of this name')\n", encoding="utf-8")
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "__init__.py").write_text("raise RuntimeError('another demo')\n", encoding="utf-8")
    (tmp_path / "mine.py").write_text(
        "from stylegan_latents.generator import Generator\n"
        "from stylegan_latents.encoders import Encoder\n"
        "from stylegan_latents.invert.record.inversion import Inversion\n"
        "from stylegan_latents.editing.directions.direction import Direction\n"
        "from stylegan_latents.demo.commands import main\n",
        encoding="utf-8",
    )
    for arguments in (
        *(("-m", f"stylegan_latents.{module.removesuffix('.__main__')}", "--help") for module in PROGRAMS.values()),
        *(("-m", "stylegan_latents.demo.commands", command, "--help") for command in MODULES),
        ("mine.py",),
    ):
        result = _run(*arguments, folder=tmp_path)
        assert result.returncode == 0, (arguments, result.stderr)


def _run(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """A run of Python in a folder."""
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=folder, check=False, encoding="utf-8"
    )
