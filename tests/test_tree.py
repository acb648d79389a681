"""The rules of the tree that ``CONTRIBUTING.md`` states: where things lie, who imports whom, what is registered.

Import Linter (``lint-imports``, whose contracts are in ``pyproject.toml``) checks what modules import by name. What
it does not see is checked here: stubs of lazily exported names, sizes, the mirror of tests, registries.
"""

import ast
import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from inspect import isclass, isroutine
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = ("demo", "editing", "invert", "encoders", "generator")
"""Each imports only those to its right."""

PUBLIC = ("generator", "encoders", "invert", "editing")
HEAVY = ("torch", "numpy", "PIL", "dlib", "gradio", "rich", "scipy", "sklearn", "typer", "imageio", "av")

MOST_FILES, SMALL, MOST_SMALL = 16, 60, 30
ALTERNATIVES = (
    "invert/inverters", "editing/commands", "editing/discovery/finders", "generator/formats",
    "generator/networks", "tests/benchmarks", "tests/editing/commands",
)  # fmt: skip
"""Folders of alternatives of one kind, which may grow beyond ``MOST_FILES``."""

WHOLE_PATHS = {
    "tests/device/test_rehearsal.py",
    "tests/device/test_rehearsal_of_all.py",
    "tests/demo/test_commands_shown.py",
    "tests/demo/test_whole_path.py",
    "tests/docs/test_browser_page.py",
    "tests/docs/test_commands.py",
    "tests/docs/test_links.py",
    "tests/docs/test_notebooks.py",
    "tests/docs/test_python.py",
    "tests/docs/test_site.py",
    "tests/editing/test_public_face.py",
    "tests/editing/test_stylegan_t.py",
    "tests/editing/test_stylenerf.py",
    "tests/hostile/test_networks.py",
    "tests/editing/test_tuned.py",
    "tests/hostile/test_strangers.py",
    "tests/invert/test_stylegan3.py",
    "tests/test_entry_points.py",
    "tests/test_file_names.py",
    "tests/test_help_pages.py",
    "tests/test_older_records.py",
    "tests/test_tree.py",
}
"""Tests of what several modules do together; every other test lies where its module does."""

IN_BROWSER = Path("tests/demo/in_browser")
"""Tests of the whole page."""


def modules(*folders: str) -> list[Path]:
    """Python files below these folders, relative to the repository."""
    return sorted(path.relative_to(ROOT) for folder in folders for path in (ROOT / folder).rglob("*.py"))


def parsed(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def dotted(path: Path) -> str:
    """The name by which a file is imported."""
    parts = path.with_suffix("").parts
    return ".".join(("stylegan_latents", *(parts[:-1] if parts[-1] == "__init__" else parts)))


def imported(path: Path, known: set[str]) -> set[str]:
    """The project's modules that a file imports anywhere: at the top, in a function, or for types alone."""
    package = dotted(path.parent / "__init__.py").split(".")
    found: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            found.update(name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join((*above, *(node.module or "").split("."))).rstrip(".")
            inner = {f"{source}.{name.name}" for name in node.names}
            found |= (inner & known) or {source}
    return found & known


def test_no_circle_of_imports_even_through_lazy_exports() -> None:
    files = modules(*PACKAGES)
    known = {dotted(path) for path in files}
    graph = {dotted(path): imported(path, known) for path in files}
    for stub in (ROOT / package / "__init__.pyi" for package in PACKAGES):
        if stub.exists():
            path = stub.relative_to(ROOT)
            graph[dotted(path)] |= imported(path, known)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def test_import_linter_knows_every_package() -> None:
    contracts = PROJECT["tool"]["importlinter"]
    packages = [f"stylegan_latents.{package}" for package in PACKAGES]
    assert sorted(contracts["root_packages"]) == sorted(packages)
    layers, siblings = contracts["contracts"]
    assert layers["type"] == "layers"
    assert layers["layers"] == packages
    assert siblings["type"] == "acyclic_siblings"
    assert sorted(siblings["ancestors"]) == sorted(packages)
    # What ``python -m`` runs is imported by nobody, so it may import what lies above its folder.
    ignored = [*layers.get("ignore_imports", []), *siblings.get("ignore_imports", [])]
    assert all(one.partition(" -> ")[0].endswith(".__main__") for one in ignored)


def test_no_folder_has_too_many_files() -> None:
    counts: dict[str, int] = {}
    for path in modules(*PACKAGES, "tests"):
        counts[path.parent.as_posix()] = counts.get(path.parent.as_posix(), 0) + 1
    assert {name: n for name, n in counts.items() if n > MOST_FILES and name not in ALTERNATIVES} == {}
    assert [name for name in ALTERNATIVES if name not in counts] == []


def test_few_modules_are_small() -> None:
    small = [
        path.as_posix()
        for path in modules(*PACKAGES)
        if path.stem not in ("__init__", "__main__")
        and len((ROOT / path).read_text(encoding="utf-8").splitlines()) <= SMALL
    ]
    assert len(small) < MOST_SMALL, small


def test_tests_lie_where_their_modules_do() -> None:
    astray = []
    for path in modules("tests"):
        if not path.name.startswith("test_") or path.as_posix() in WHOLE_PATHS or path.parent == IN_BROWSER:
            continue
        folder, name = ROOT / path.relative_to("tests").parent, path.stem.removeprefix("test_")
        if path.is_relative_to("tests/benchmarks"):
            folder = ROOT / "tests/benchmarks"
        # test_loading_contents.py, too, belongs to loading.py: tests of a module may be several files.
        parts = name.split("_")
        names = [f"__{name}__", *("_".join(parts[:count]) for count in range(1, len(parts) + 1))]
        if not any((folder / f"{module}.py").is_file() for module in names):
            astray.append(path.as_posix())
    assert astray == [], "these belong to no module of their name and are not listed in WHOLE_PATHS"


def test_every_listed_whole_path_test_is_there() -> None:
    assert [name for name in sorted(WHOLE_PATHS) if not (ROOT / name).is_file()] == []


def test_every_folder_and_data_file_is_installed() -> None:
    for folder in {path.parent for path in modules(*PACKAGES)}:
        assert (ROOT / folder / "__init__.py").is_file(), f"{folder} is no package, so setup.py leaves it out"
    setup = next(node for node in parsed(Path("setup.py")).body if isinstance(node, ast.Assign))
    assert sorted(ast.literal_eval(setup.value)) == sorted(PACKAGES)
    patterns = [
        f"{owner.removeprefix('stylegan_latents.').replace('.', '/')}/{pattern}"
        for owner, owned in PROJECT["tool"]["setuptools"]["package-data"].items()
        for pattern in owned
    ]
    for package in PACKAGES:
        assert (ROOT / package / "py.typed").is_file()
        for path in (ROOT / package).rglob("*"):
            name = path.relative_to(ROOT).as_posix()
            if path.is_file() and path.suffix not in (".py", ".pyc"):
                assert any(fnmatch(name, pattern) for pattern in patterns), f"no package-data pattern takes {name}"


@pytest.mark.parametrize("package", PUBLIC)
def test_what_a_package_exports_is_there_and_says_what_it_is(package: str) -> None:
    module = import_module(f"stylegan_latents.{package}")
    assert module.__doc__
    assert module.__all__
    assert set(module.__all__) <= set(dir(module))
    for name in module.__all__:
        exported = getattr(module, name)
        if isclass(exported) or isroutine(exported):
            assert exported.__doc__, name
            assert not exported.__doc__.startswith(f"{name}("), f"{name} has no docstring but the one of dataclass"


def test_importing_the_packages_loads_nothing_heavy() -> None:
    names = ", ".join(f"stylegan_latents.{package}" for package in PACKAGES)
    result = subprocess.run(
        [sys.executable, "-c", f"import sys, {names}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    assert set(result.stdout.split()) & set(HEAVY) == set()


def words(*paths: str) -> set[str]:
    """What registries name: the names that they import, and words in strings that are no docstrings."""
    found: set[str] = set()
    nodes = [node for path in paths if (ROOT / path).is_file() for node in ast.walk(parsed(Path(path)))]
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            found.update(re.findall(r"\w+", node.value))
        elif isinstance(node, ast.alias):
            found.update(node.name.split("."))
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update(node.module.split("."))
    return found


def classes(folder: str) -> dict[str, set[str]]:
    """Public classes of a folder with the names of their bases; not those of ``base.py``, where contracts lie."""
    return {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for path in modules(folder)
        if path.name != "base.py"
        for node in parsed(path).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    }


def test_every_inverter_is_in_the_registry() -> None:
    known = classes("invert/inverters")
    inverters = {name for name, bases in known.items() if any(base.endswith("Inverter") for base in bases)}
    assert len(inverters) > 4, "the classes of invert/inverters inherit from Inverter"
    assert inverters - words("invert/inverters/by_name.py") == set()


def test_every_finder_is_in_the_registry() -> None:
    registry, room = Path("editing/discovery/by_name.py"), "editing/discovery/finders"
    known = {dotted(path): path for path in (registry, *modules(room))}
    reached, reaching = {dotted(registry)}, [registry]
    while reaching:
        for name in imported(reaching.pop(), set(known)) - reached:
            reached.add(name)
            reaching.append(known[name])
    assert set(known) - reached - {dotted(Path(room) / "__init__.py")} == set(), "finders that nothing leads to"
    options = {name for name in classes(room) if name.endswith("Options")}
    assert options - words(registry.as_posix()) == set()


def test_every_reader_of_a_generator_is_in_the_registry() -> None:
    readers = {
        node.name
        for path in modules("generator/formats")
        if path.parent.name == "formats" or path.stem == "read"
        for node in parsed(path).body
        if isinstance(node, ast.FunctionDef)
        and re.match(r"read_(?!.*discriminator)", node.name)
        and node.returns is not None
        and re.search(r"\b(Generator|\w*Config)\b", ast.unparse(node.returns))
    }
    assert len(readers) > 2
    assert readers - {"read_generator"} - words("generator/formats/read.py", "generator/loading.py") == set()


def test_every_tab_is_on_the_page() -> None:
    tabs = {path.relative_to("demo/tabs").parts[0].removesuffix(".py") for path in modules("demo/tabs")}
    assert tabs - {"__init__"} - words("demo/app.py") == set()


def test_the_map_in_contributing_shows_every_folder_and_names_real_files() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rooms = {path.parent.as_posix() for path in modules(*PACKAGES) if len(path.parts) < 4}
    assert {room for room in rooms if f"| `{room}/` |" not in text} == set()
    named = set(re.findall(r"`((?:tests|docs|\.ci|" + "|".join(PACKAGES) + r")/[\w./]+)`", text))
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
