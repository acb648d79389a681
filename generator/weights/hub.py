"""Files of the Hugging Face hub, named as ``hf://owner/repository/path/to/file`` or ``...file@revision``.

They are kept in the cache of all weights, so that a file is there offline once it was fetched.
"""

import functools
import os
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any, Self

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.weights.download_url import DISK_FULL
from stylegan_latents.generator.weights.fetch import cache_folder

# A path's class makes one slash of two.
_ADDRESS = re.compile(r"hf:/{1,2}([\w.-]+/[\w.-]+)/([^@]+)(?:@(.+))?")
_SHAPE = "hf://owner/repository/file, or hf://owner/repository/file@revision"


@dataclass(frozen=True)
class HubFile:
    """A file of the hub.

    Attributes:
        repository: ``owner/name``.
        file: its path in the repository.
        revision: a commit, branch or tag; None for the main branch.
    """

    repository: str
    file: str
    revision: str | None = None

    @classmethod
    def parse(cls, address: str | Path) -> Self | None:
        """Read an address; None for a text that is none.

        Raises:
            InputError: it begins as one, but lacks a part or leads out of the repository.
        """
        text = address.as_posix() if isinstance(address, PurePath) else address
        if not text.startswith("hf:/"):
            return None
        match = _ADDRESS.fullmatch(text)
        if match is None or not {"", ".", ".."}.isdisjoint(match[2].split("/")):
            raise InputError(f"{text} is no file of the Hugging Face hub; write {_SHAPE}.")
        return cls(match[1], match[2], match[3])

    @property
    def address(self) -> str:
        return f"hf://{self.repository}/{self.file}" + ("" if self.revision is None else f"@{self.revision}")

    def fetch(self) -> "tuple[Path, HubFile]":
        """Download the file, or find it in the cache.

        A revision that is a commit needs no network once it is in the cache; of others the hub is asked for the
        newest commit, and without a network the last one fetched is taken. What the model card says of the licence
        is printed with each download.

        Returns:
            The local file, and the same address with the commit as its revision.

        Raises:
            InputError: huggingface_hub is not installed, there is no such file, it may not be read, or the hub
                cannot be reached.
        """
        cached = self._download(self.file, offline=True)
        path = cached if cached is not None and self._is_commit else self._download(self.file) or cached
        if path is None:
            raise InputError(
                f"The hub could not be reached for {self.address}, which is not in {_folder()} yet; connect to the "
                "network and run the command again."
            )
        commit = path.relative_to(_folder()).parts[2]
        pinned = replace(self, revision=commit)
        if path != cached:
            print(f"{pinned.address}: {pinned.licence()}", file=sys.stderr)
        return path, pinned

    def licence(self) -> str:
        """What the model card says of the licence, in a sentence's part."""
        import yaml  # which huggingface_hub needs
        from huggingface_hub import metadata_load

        try:
            card = self._download("README.md")
            said = None if card is None else (metadata_load(card) or {})
        except (InputError, ValueError, yaml.YAMLError):
            said = {}
        name = None if said is None else said.get("license_name") or said.get("license")
        link = None if said is None else said.get("license_link")
        if not isinstance(name, str):
            return "its model card names no licence; ask its authors before you use it."
        return f"licence {name}" + (f" ({link})" if isinstance(link, str) else "") + ", says its model card."

    @property
    def _is_commit(self) -> bool:
        return re.fullmatch(r"[0-9a-f]{40}", self.revision or "") is not None

    def _download(self, file: str, *, offline: bool = False) -> Path | None:
        """The local path; None if it is not in the cache and the hub is not reached or, ``offline``, not asked."""
        try:
            import huggingface_hub
            from huggingface_hub import errors
        except ImportError as error:
            raise InputError(
                f"{self.address} needs huggingface_hub, not installed: pip install 'stylegan-latents[hub]'."
            ) from error
        options: dict[str, Any] = {
            "revision": self.revision,
            "cache_dir": _folder(),
            "local_files_only": offline,
            "endpoint": os.environ.get("HF_ENDPOINT") or None,
        }
        try:
            found = huggingface_hub.hf_hub_download(self.repository, file, **options)
        except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled):
            return None
        except errors.GatedRepoError as error:
            raise InputError(
                f"{self.repository} gives its files only to those who accepted its terms; do so on its page at the "
                "hub, then set HF_TOKEN to a token of yours."
            ) from error
        except errors.RepositoryNotFoundError as error:
            raise InputError(
                f"The hub has no public repository {self.repository}; check the name, or set HF_TOKEN for a "
                "private one."
            ) from error
        except errors.RevisionNotFoundError as error:
            raise InputError(
                f"{self.repository} has no revision {self.revision}; check the commit or branch."
            ) from error
        except errors.EntryNotFoundError as error:
            raise InputError(
                f"{self.repository} has no file {file}; its page on the hub lists the names."
            ) from error
        except errors.HFValidationError as error:
            raise InputError(f"{self.address} is no file of the Hugging Face hub; write {_SHAPE}.") from error
        except errors.HfHubHTTPError as error:
            raise InputError(f"The hub refuses {self.address} ({_first_line(error)}); try again later.") from error
        except OSError as error:
            if error.errno in DISK_FULL:
                raise InputError(f"The disk that holds {_folder()} is full; free some space.") from error
            raise InputError(
                f"{self.address} could not be fetched ({_first_line(error)}); try again later."
            ) from error
        return Path(found)


def _folder() -> Path:
    return cache_folder() / "hub"


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


@functools.lru_cache(maxsize=32)
def _fetched(file: HubFile, _cache: Path) -> tuple[Path, HubFile]:
    return file.fetch()


def on_this_machine(name_or_path: str | Path) -> tuple[Path, str | None]:
    """The local file of a path or of a hub's address, which is fetched once per process.

    Returns:
        The path, with ``~`` expanded; and the address with its commit, None for what is no address.

    Raises:
        InputError: the address is wrong, or the file cannot be fetched.
    """
    file = HubFile.parse(name_or_path)
    if file is None:
        return Path(name_or_path).expanduser(), None
    path, pinned = _fetched(file, _folder())
    return path, pinned.address
