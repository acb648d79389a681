"""Weights that only metrics need."""

from stylegan_latents.generator.weights.download_url import UrlSource
from stylegan_latents.generator.weights.entry import Entry

ENTRIES = (
    Entry(
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
    ),
)
