"""Download a distribution from a package index through pip, with a pinned hash, without executing its code."""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stylegan_latents.generator.cli.progress import download_progress
from stylegan_latents.generator.errors import InputError

# Even to download a source distribution, pip asks it for its metadata, which executes an old one's setup.py. PEP
# 517 names the build backend for a missing pyproject.toml, ``setuptools.build_meta:__legacy__``; the one below,
# found before any installed setuptools, answers from the pinned name and version and never opens the archive. pip
# still does the rest: the user's indexes, mirrors, credentials, proxies, certificates, retries and the hash check.
_BACKEND = """
import pathlib, sys
def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    folder = pathlib.Path(metadata_directory, "{stem}-{version}.dist-info")
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\\nName: {project}\\nVersion: {version}\\n")
    return folder.name
def get_requires_for_build_wheel(config_settings=None):
    return []
def build_wheel(*arguments, **settings):
    raise RuntimeError("nothing of this distribution is built")
__legacy__ = sys.modules[__name__]
"""

_UNREACHABLE = (
    "connection broken by", "ConnectionError", "ConnectTimeout", "ReadTimeout", "Read timed out", "ProxyError",
    "SSLError", "Max retries exceeded", "is not a trusted or secure host", "Connection to",
)  # fmt: skip


@dataclass(frozen=True)
class PackageSource:
    """A distribution in a package index: a ``wheel``, or a source distribution (``sdist``).

    ``sha256``, in hexadecimal, and ``size``, in bytes, are those of the distribution file.
    """

    project: str
    version: str
    sha256: str
    size: int
    form: Literal["wheel", "sdist"] = "wheel"

    @property
    def key(self) -> str:
        """A name for the archive, of letters and digits, that is the same in every process."""
        return self.sha256[:16]

    @property
    def requirement(self) -> str:
        """pip's requirement for it."""
        return f"{self.project}=={self.version}"


def download_package(source: PackageSource, folder: Path, *, label: str) -> Path:
    """Download the distribution file into the existing ``folder`` and return its path; an InputError if pip fails.

    pip's own configuration (index, extra index, proxy, certificate) applies.
    """
    scratch, target = folder / "pip", folder / "distribution"
    scratch.mkdir()
    target.mkdir()
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{source.requirement} --hash=sha256:{source.sha256}\n", encoding="utf-8")
    environment = dict(os.environ)
    for name in ("PIP_QUIET", "PIP_VERBOSE", "PIP_CONSTRAINT", "PIP_REQUIREMENT", "PIP_REQUIRE_VIRTUALENV"):
        environment.pop(name, None)
    # pip's temporary files stay in the cache folder, where they show the progress and are removed.
    environment.update(dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch)), PYTHONIOENCODING="utf-8")
    # -P: a file pip.py in the current folder is not run.
    command = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--no-cache-dir", "--no-input"]
    command += ["--disable-pip-version-check", "--progress-bar", "off", "--retries", "3", "--require-hashes"]
    command += ["--ignore-requires-python", "--requirement", str(requirements), "--dest", str(target)]
    with tempfile.TemporaryDirectory(prefix="stylegan-latents-") as backend:
        if source.form == "wheel":
            command += ["--only-binary", ":all:"]
        else:
            _write_backend(source, Path(backend).resolve())
            paths = [str(Path(backend).resolve()), environment.get("PYTHONPATH", "")]
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
            command += ["--no-binary", source.project, "--use-pep517", "--no-build-isolation"]
        status, log = _run(command, environment, folder, label, source.size)
    files = list(target.iterdir())
    if status != 0 or len(files) != 1:
        raise InputError(_explain(log, source))
    return files[0]


def _write_backend(source: PackageSource, folder: Path) -> None:
    if os.pathsep in str(folder):
        # PYTHONPATH could not contain it, and the installed setuptools would execute the archive's setup.py.
        raise InputError(
            f"The temporary folder {folder} has '{os.pathsep}' in its name; set TMPDIR to another one."
        )
    package = folder / "setuptools"
    package.mkdir()
    package.joinpath("__init__.py").touch()
    stem = source.project.replace("-", "_")
    text = _BACKEND.format(stem=stem, project=source.project, version=source.version)
    package.joinpath("build_meta.py").write_text(text, encoding="utf-8")


def _run(command: list[str], environment: dict[str, str], folder: Path, label: str, total: int) -> tuple[int, str]:
    """Run pip and return its exit status and output; it never outlives this call."""
    log = folder / "pip.log"
    with log.open("wb") as output, download_progress(label, total) as progress:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            while True:
                try:
                    process.wait(timeout=0.2)
                    break
                except subprocess.TimeoutExpired:
                    progress(_largest_file(folder))
        finally:
            if process.poll() is None:  # Ctrl-C
                process.terminate()
                try:
                    process.wait(timeout=5)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
    return process.returncode, log.read_text(encoding="utf-8", errors="replace")


def _largest_file(folder: Path) -> int:
    """Size of the largest file under the folder: the download, as pip writes nothing else of that size."""
    sizes = [0]
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                sizes.append(os.stat(os.path.join(parent, name)).st_size)  # noqa: PTH116, PTH118
            except FileNotFoundError:  # removed by pip meanwhile
                continue
    return max(sizes)


def _explain(log: str, source: PackageSource) -> str:
    what = source.requirement
    if "DO NOT MATCH THE HASHES" in log:
        return (
            f"The package index gave another file for {what} than the published one (its sha256 differs); check "
            "the index or mirror that pip is configured with."
        )
    if "No space left on device" in log or "Disk quota exceeded" in log or "not enough space" in log:
        return (
            f"The disk became full during the download of {what}; free some space, or set STYLEGAN_HOME to a "
            "folder on another disk."
        )
    if "No module named pip" in log:
        return f"pip is needed to download {what} but this Python has none; run: {sys.executable} -m ensurepip"
    if any(token in log for token in _UNREACHABLE):
        return (
            f"No package index could be reached to download {what}; connect to the network, or check pip's index "
            "and proxy settings, and run the command again."
        )
    if "No matching distribution" in log or "404" in log:
        return (
            f"pip's package index does not have {what}; check pip's index settings"
            f"{' (PIP_NO_INDEX is set)' if os.environ.get('PIP_NO_INDEX') else ''}, or add an index with "
            "PIP_EXTRA_INDEX_URL."
        )
    errors = [line.strip() for line in log.splitlines() if "error" in line.lower()]
    reason = errors[-1] if errors else "no reason was given"
    return f"pip could not download {what}: {reason.rstrip('.')}."
