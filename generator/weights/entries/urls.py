"""Weights with a URL: NVIDIA's StyleGAN2, StyleGAN2-ADA and StyleGAN3 models, and Inception for the FID.

Few sha256 of NVIDIA's models are published; the others are trusted on first use, see ``generator.weights.entry``.
None of NVIDIA's models may be used commercially.
"""

from stylegan_latents.generator.weights.download_url import UrlSource
from stylegan_latents.generator.weights.entry import Entry

_CDN = "https://nvlabs-fi-cdn.nvidia.com"
_NGC = "https://api.ngc.nvidia.com/v2/models/nvidia/research"
_LICENCE = "NVIDIA Source Code License: non-commercial"
_FFHQ_SPACE = "stylegan2-ffhq-w"

# name: what the images show, resolution. The file's name is the name with .pkl.
_STYLEGAN2 = {
    "stylegan2-ffhq-config-f": ("faces", 1024),
    "stylegan2-car-config-f": ("cars (LSUN), 512x384 on black", 512),
    "stylegan2-cat-config-f": ("cats (LSUN)", 256),
    "stylegan2-church-config-f": ("churches (LSUN)", 256),
    "stylegan2-horse-config-f": ("horses (LSUN)", 256),
}
_ADA = {
    "ffhq": ("faces", 1024),
    "metfaces": ("faces in art", 1024),
    "afhqcat": ("cats' faces", 512),
    "afhqdog": ("dogs' faces", 512),
    "afhqwild": ("wild animals' faces", 512),
    "cifar10": ("small photos of 10 classes", 32),
    "brecahad": ("breast cancer histology", 512),
}
_NGC_STYLEGAN2 = {
    "stylegan2-ffhq-1024x1024": ("faces", 1024),
    "stylegan2-ffhq-512x512": ("faces", 512),
    "stylegan2-ffhq-256x256": ("faces", 256),
    "stylegan2-ffhqu-1024x1024": ("faces, unaligned", 1024),
    "stylegan2-ffhqu-256x256": ("faces, unaligned", 256),
    "stylegan2-metfaces-1024x1024": ("faces in art", 1024),
    "stylegan2-metfacesu-1024x1024": ("faces in art, unaligned", 1024),
    "stylegan2-afhqv2-512x512": ("animals' faces", 512),
    "stylegan2-celebahq-256x256": ("faces (CelebA-HQ)", 256),
    "stylegan2-lsundog-256x256": ("dogs (LSUN)", 256),
}
_NGC_STYLEGAN3 = {
    f"stylegan3-{variant}-{data}": about
    for variant in ("t", "r")
    for data, about in {
        "ffhq-1024x1024": ("faces", 1024),
        "ffhqu-1024x1024": ("faces, unaligned", 1024),
        "ffhqu-256x256": ("faces, unaligned", 256),
        "metfaces-1024x1024": ("faces in art", 1024),
        "metfacesu-1024x1024": ("faces in art, unaligned", 1024),
        "afhqv2-512x512": ("animals' faces", 512),
    }.items()
}
# By name: sha256 and size, published by users of the file.
_KNOWN = {
    "stylegan2-ada-ffhq": ("a205a346e86a9ddaae702e118097d014b7b8bd719491396a162cca438f2f524c", 381624121),
    "stylegan3-t-ffhq-1024x1024": ("efd9fa1f967a11b5390399a8ed512dc32e341c245fa2d4dafa6d94e96222085b", 294775112),
}
# Encoders and directions made for one of the two are in use with the other.
_SAME_SPACE = ("stylegan2-ffhq-config-f", "stylegan2-ada-ffhq")


def _entry(name: str, folder: str, file: str, about: tuple[str, int], note: str) -> Entry:
    domain, resolution = about
    return Entry(
        name=name,
        kind="generator",
        source=UrlSource(f"{folder}/{file}", *_KNOWN.get(name, ())),
        members=(),
        file=file,
        licence=_LICENCE,
        domain=domain,
        resolution=resolution,
        latent_space=_FFHQ_SPACE if name in _SAME_SPACE else f"{name}-w",
        note=note,
    )


def _entries() -> tuple[Entry, ...]:
    stylegan2, ada = "StyleGAN2 (Karras et al. 2020)", "StyleGAN2-ADA (Karras et al. 2020)"
    groups = (
        (_STYLEGAN2, f"{_CDN}/stylegan2/networks", "", f"{stylegan2}, TensorFlow pickle."),
        (_ADA, f"{_CDN}/stylegan2-ada-pytorch/pretrained", "stylegan2-ada-", f"{ada}."),
        (_NGC_STYLEGAN2, f"{_NGC}/stylegan2/versions/1/files", "", f"{stylegan2}."),
        (_NGC_STYLEGAN3, f"{_NGC}/stylegan3/versions/1/files", "", "StyleGAN3 (Karras et al. 2021)."),
    )
    return tuple(
        _entry(f"{prefix}{stem}", folder, f"{stem}.pkl", about, note)
        for models, folder, prefix, note in groups
        for stem, about in models.items()
    )


_INCEPTION = Entry(
    name="inception-fid",
    kind="support",
    source=UrlSource(
        "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
        "weights-inception-2015-12-05-6726825d.pth",
        sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
        size=95628359,
    ),
    members=(),
    file="weights-inception-2015-12-05-6726825d.pth",
    licence="Apache-2.0",
    domain="any image",
    note="Inception v3 (Szegedy et al. 2016) as the Frechet inception distance uses it.",
)
ENTRIES = (*_entries(), _INCEPTION)
