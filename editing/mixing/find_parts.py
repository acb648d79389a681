"""Finds parts of a generator's pictures without labels: spherical k-means over its feature maps (Collins et al.,
"Editing in Style", 2020, section 3.1), with names from the landmarks of faces.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from stylegan_latents.editing.directions.calibration import style_deviations
from stylegan_latents.editing.regions.parts import Parts, cache_path, part_features, stored_parts
from stylegan_latents.editing.regions.regions import face_region
from stylegan_latents.generator.cli.progress import Begin
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.features import effects_in_places
from stylegan_latents.generator.networks.camera import Camera
from stylegan_latents.invert.faces.landmarks import Landmarks

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator

Labels = npt.NDArray[np.int64]
_TRUNCATION, _PICTURE_SIDE, _BATCH = 0.7, 256, 4
_AXES = 64  # principal axes, which keep the angles between features and make clustering fast
_FEATURES = ("eyes", "nose", "mouth")
_SURFACES = {"hair": "hair", "face": "skin", "background": "background"}
"""Regions, and the parts of the clusters in them."""
_REST = "body"


def parts_of(G: "Generator", begin: Begin) -> Parts:
    """The catalogue of a generator; if there is none, it is made now and kept in the cache folder.

    Args:
        G: without tuned weights. That of one in a style is not kept, nor does its camera count.
        begin: makes a progress bar.

    Raises:
        InputError: the model has classes, or the cache folder cannot be written.
    """
    parts = stored_parts(G)
    if parts is not None:
        return parts
    if G.label_dim:
        raise InputError(f"The model '{G.name}' has classes; parts are found for models without.")
    parts = find_parts(G if G.camera is None else G.seen_from(Camera()), begin=begin)
    # A style changes weights and leaves the name that the cache has for them.
    if G.weights_fingerprint() == G.fingerprint:
        parts.save(cache_path(G))
    return parts


def find_parts(
    G: "Generator",
    *,
    begin: Begin,
    clusters: int = 18,
    samples: int = 24,
    codes: int = 8,
    probes: int = 1,
    seed: int = 0,
) -> Parts:
    """Cluster a generator's feature maps, and measure each style channel's share in each part.

    Args:
        G: the generator; in float32 the default model takes about two minutes.
        begin: makes a progress bar.
        clusters: their number; on faces several make one part.
        samples: number of pictures whose features are clustered.
        codes: number of pictures in which the channels' effects are measured.
        probes: gradients for each picture and part.
        seed: of the first sample.

    Raises:
        InputError: a number is too small, or the pictures are no squares.
    """
    import torch

    G.check_square("Finding parts")
    if clusters < 2 or samples < 2 or codes < 1 or probes < 1:
        raise InputError("Parts need two clusters and two samples, a code and a probe at least.")
    count = max(samples, codes)
    ws = G.sample(range(seed, seed + count), truncation=_TRUNCATION)
    report = begin("features of samples")
    found, pictures = [], []
    size = min(_PICTURE_SIDE, G.resolution)
    with torch.no_grad():
        for start in range(0, samples, _BATCH):
            part = ws[start : min(start + _BATCH, samples)]
            found.append(part_features(G, part).cpu())
            pictures.append(G.synthesize(part, size=size).cpu())
            report(min(start + _BATCH, samples), samples)
    features = torch.cat(found)
    begin("clustering")
    labels, centres = cluster(features, clusters, seed)
    points = face_landmarks(torch.cat(pictures))
    named = name_clusters(labels, points, len(centres))
    names = tuple(dict.fromkeys(named)) if named else tuple(str(index) for index in range(len(centres)))
    owners = torch.tensor([names.index(name) for name in named] if named else range(len(centres)))
    parts = Parts(names, centres, owners, torch.empty(len(names), 0), G.name, G.fingerprint)
    return _with_shares(G, parts, ws[:codes], size, probes, begin("measuring style channels"))


def cluster(features: "Tensor", clusters: int, seed: int = 0) -> "tuple[Labels, Tensor]":
    """Spherical k-means: scikit-learn's on unit vectors, with centres brought back to unit length.

    Returns:
        The cluster of each of the features ``[N, side, side, features]``, int64 ``[N, side, side]``, and the
        centres ``[clusters, features]``.
    """
    import torch
    from sklearn.cluster import KMeans
    from torch.nn import functional as F

    flat = features.reshape(-1, features.shape[-1])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        axes = torch.svd_lowrank(flat, min(_AXES, *flat.shape), niter=2)[2]
    short = (flat @ axes).numpy()
    first = KMeans(clusters, n_init=2, max_iter=40, random_state=seed).fit(short).labels_
    hot = F.one_hot(torch.from_numpy(first).long(), clusters).to(flat.dtype)
    centres = F.normalize(hot.T @ flat, dim=1)
    # By angle, as in ``Parts.masks``.
    labels: Labels = (flat @ centres.T).argmax(dim=1).reshape(features.shape[:-1]).numpy()
    return labels, centres


def face_landmarks(images: "Tensor") -> list[Landmarks | None]:
    """The landmarks in fractions of the side for images ``[N, channels, H, W]`` in [-1, 1]; None without a face."""
    from PIL import Image

    from stylegan_latents.editing.discovery.scorers.scorer import to_pixels
    from stylegan_latents.invert.faces.find import landmarks_of_crop

    if images.shape[1] != 3:
        return [None] * len(images)
    found = [landmarks_of_crop(Image.fromarray(picture)) for picture in to_pixels(images)]
    side = images.shape[-1]
    return [None if one is None else one.mapped(lambda points: (points + 0.5) / side) for one in found]


def name_clusters(labels: Labels, points: Sequence[Landmarks | None], clusters: int) -> list[str]:
    """Name each cluster by the face regions that it lies in; empty if over half of the pictures show no face.

    Eyes, nose and mouth are clusters that cover most of these regions. The others are hair, skin or background by
    the region that most of them lies in, or else the body.
    """
    faces = [(map, one) for map, one in zip(labels, points, strict=True) if one is not None]
    if 2 * len(faces) < len(labels):
        return []
    side = labels.shape[1]
    maps = np.stack([map for map, _ in faces])
    regions = {
        name: np.stack([_coarse(face_region(name, one, 8 * side)) for _, one in faces])
        for name in (*_FEATURES, *_SURFACES)
    }
    names = []
    for index in range(clusters):
        inside = maps == index
        lies = {name: float(mask[inside].mean()) if inside.any() else 0.0 for name, mask in regions.items()}
        covers = {name: float(regions[name][inside].sum() / regions[name].sum()) for name in _FEATURES}
        feature = max(_FEATURES, key=lambda name: covers[name])
        surface = max(_SURFACES, key=lambda name: lies[name])
        if covers[feature] >= 0.4 and lies[feature] >= 0.25:
            names.append(feature)
        else:
            names.append(_SURFACES[surface] if lies[surface] >= 0.35 else _REST)
    return names


def _coarse(mask: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The mean of every eight by eight pixels."""
    side = len(mask) // 8
    return np.asarray(mask.reshape(side, 8, side, 8).mean(axis=(1, 3)), dtype=np.float32)


def _with_shares(
    G: "Generator", parts: Parts, ws: "Tensor", size: int, probes: int, report: Callable[[int, int], None]
) -> Parts:
    """The parts with each style channel's share of its change in each of them."""
    import torch

    places = torch.nn.functional.interpolate(parts.masks(G, ws), (size, size), mode="nearest").to(ws.device)
    effects = effects_in_places(G, ws, places, probes=probes, size=size, progress=report).cpu()
    effects = effects * style_deviations(G).cpu().square()
    total = effects.sum(dim=0)
    # To-RGB's styles colour the whole picture; the offset keeps channels with hardly any effect out of all parts.
    colours = torch.cat([torch.full((layer.channels,), layer.name.endswith("rgb")) for layer in G.layers])
    shares = effects / (total + 0.1 * total[~colours].median()).clamp_min(1e-30)
    shares[:, colours] = 0
    return replace(parts, shares=evened(shares))


def evened(shares: "Tensor") -> "Tensor":
    """Shares ``[parts, channels]`` relative to the mean share of each part, with the same sum for each channel.

    Otherwise clothes and backgrounds, where a small shift changes much, would own the channels of other parts.
    """
    lift = shares / shares.mean(dim=1, keepdim=True).clamp_min(1e-30)
    result: Tensor = lift * (shares.sum(dim=0) / lift.sum(dim=0).clamp_min(1e-30))
    return result
