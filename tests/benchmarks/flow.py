"""Is an attribute-conditional flow (StyleFlow) a better editor than linear directions? Measured on one network.

    python -m tests.benchmarks.flow                                # sampled codes
    python -m tests.benchmarks.flow --records folder/*.inversion.safetensors

StyleFlow (Abdal et al. 2021, "StyleFlow: Attribute-conditioned Exploration of StyleGAN-Generated Images using
Conditional Continuous Normalizing Flows") encodes w with its own attributes, changes one of them, and decodes. Here
the flows are of affine couplings (RealNVP, Dinh et al. 2017), which train in minutes on a CPU and invert exactly.
Four editors make the same mean change of the same score, forth and back, on the same codes:
    one fit     a ridge fit of the one score, nothing held (InterFaceGAN without its conditional step)
    shipped     the shipped direction
    flow        a flow over whitened W, for each row that the shipped direction moves, as StyleFlow does it
    small flow  a flow over the plane of W+ that a linear fit of all scores sees, where samples are plenty
and are compared by the change in the other directions' scores over that in their own, and by identity distance.
The first run scores 8,000 samples (an hour and more); they are kept in the cache folder.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from stylegan_latents import generator
from stylegan_latents.editing.commands.evaluate import FIRST_SEED
from stylegan_latents.editing.directions.catalogue import find_direction, known_directions
from stylegan_latents.editing.discovery.fitting.linear import fit
from stylegan_latents.editing.discovery.fitting.samples import Samples, sample
from stylegan_latents.editing.discovery.scorers.faces import FACE_ATTRIBUTES, HELPERS, FaceScorer
from stylegan_latents.editing.discovery.scorers.scorer import Array, Attribute
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.layers import GROUPS
from stylegan_latents.generator.ops.memory import keep_freed_memory
from stylegan_latents.generator.weights.fetch import cache_folder
from stylegan_latents.invert.faces.detector import Face
from stylegan_latents.invert.faces.dlib_landmarks import aligned_box, read_landmarks
from stylegan_latents.invert.faces.identity import Embedding, Identity
from stylegan_latents.invert.photos.files import to_picture
from stylegan_latents.invert.record.inversion import Inversion
from tests.benchmarks.conditional_flow import Flow, trained

# What the flow is told of a picture: the attributes that are edited, and two that would stand in for them.
_CONDITIONS = (*(attribute.name for attribute in FACE_ATTRIBUTES), *HELPERS)
_NAMES = FaceScorer.names
_COLUMNS = [_NAMES.index(name) for name in _CONDITIONS]
# Conditions further out than the samples reach would ask the flow for what it has not seen.
_FARTHEST = 4.0
_SIZE, _BATCH = 256, 4
_CALIBRATED_ON = 6
Editor = Callable[[Tensor, Tensor, Attribute, float], Tensor]
"""Codes ``[N, num_ws, w_dim]``, their scores in deviations, what to change, and by about how much; gives codes."""


def editors(G: generator.Generator, samples: Samples, epochs: int, seed: int) -> dict[str, Editor]:
    """The four ways to edit, by name."""
    model = fit(samples)
    groups = [GROUPS.index(group) for group in G.ws_groups]
    mean = torch.from_numpy(samples.codes.mean((0, 1))).float()
    colouring = torch.from_numpy(model.colouring).float()
    whitening = torch.from_numpy(np.linalg.inv(model.colouring)).float()
    plain = samples.scores[samples.plain]
    scores = torch.from_numpy((samples.scores - plain.mean(0)) / plain.std(0)).float()
    conditions = scores[:, _COLUMNS].clamp(-_FARTHEST, _FARTHEST)
    codes = (torch.from_numpy(samples.codes).float() - mean) @ whitening.T
    of_w = trained(codes[samples.plain, 0], conditions[samples.plain], hidden=256, epochs=epochs, seed=seed)
    planes: dict[str, tuple[Tensor, Flow]] = {}
    for layers in dict.fromkeys(attribute.layers for attribute in FACE_ATTRIBUTES):
        chosen = next(one for one in FACE_ATTRIBUTES if one.layers == layers)
        effects = torch.from_numpy(model.effects).float() * _moving(chosen, range(len(GROUPS)))
        basis = torch.linalg.svd(effects.flatten(1).T, full_matrices=False).U
        points = codes.flatten(1) @ basis
        planes[layers] = basis, trained(points, conditions, hidden=64, epochs=epochs, seed=seed)

    def one_fit(ws: Tensor, _: Tensor, attribute: Attribute, amount: float) -> Tensor:
        effect = model.effects[_NAMES.index(attribute.name)]
        step = torch.from_numpy(2 * effect / np.linalg.norm(effect) @ model.colouring.T).float()
        return ws + amount * step[groups] * _moving(attribute, groups)

    def shipped(ws: Tensor, _: Tensor, attribute: Attribute, amount: float) -> Tensor:
        return find_direction(attribute.name, G).apply(ws, amount)

    def flow(ws: Tensor, own: Tensor, attribute: Attribute, amount: float) -> Tensor:
        x = ((ws - mean) @ whitening.T).flatten(0, 1)
        told = own[:, _COLUMNS].clamp(-_FARTHEST, _FARTHEST).repeat_interleave(ws.shape[1], dim=0)
        step = of_w.step(x, told, _CONDITIONS.index(attribute.name), amount) @ colouring.T
        return ws + step.view_as(ws) * _moving(attribute, groups)

    def small_flow(ws: Tensor, own: Tensor, attribute: Attribute, amount: float) -> Tensor:
        basis, plane = planes[attribute.layers]
        index = torch.tensor(groups)
        by_group = torch.stack([ws[:, index == group].mean(dim=1) for group in range(len(GROUPS))], dim=1)
        x = ((by_group - mean) @ whitening.T).flatten(1) @ basis
        told = own[:, _COLUMNS].clamp(-_FARTHEST, _FARTHEST)
        step = plane.step(x, told, _CONDITIONS.index(attribute.name), amount) @ basis.T
        return ws + (step.view_as(by_group) @ colouring.T)[:, groups]

    return {"one fit": one_fit, "shipped": shipped, "flow": flow, "small flow": small_flow}


def _moving(attribute: Attribute, groups: Iterable[int]) -> Tensor:
    """1 for rows of these groups that the attribute moves, else 0, ``[rows, 1]``."""
    return torch.tensor([[float(GROUPS[group] in attribute.groups)] for group in groups])


class Looks:
    """Scores in deviations, and faces, of the pictures of codes."""

    def __init__(self, G: generator.Generator, samples: Samples) -> None:
        self.G, self.scorer, self.identity = G, FaceScorer(), Identity()
        plain = samples.scores[samples.plain]
        self.mean, self.deviation = plain.mean(0), plain.std(0)

    def __call__(self, ws: Tensor) -> tuple[Array, list[Embedding]]:
        """Scores ``[N, scores]``, NaN where there is no face, and embeddings of the pictures."""
        scores: list[Array] = []
        faces: list[Embedding] = []
        with torch.no_grad(), keep_freed_memory():
            for start in range(0, len(ws), _BATCH):
                images = self.G.synthesize(ws[start : start + _BATCH], size=min(_SIZE, self.G.resolution))
                scores.append(self.scorer.score(images))
                faces += [self._embed(picture) for picture in to_picture(images)]
        return (np.concatenate(scores) - self.mean) / self.deviation, faces

    def _embed(self, picture: Image.Image) -> Embedding:
        # Aligned faces are always in the same place; looking for them would take longer than all else.
        box = aligned_box(picture.width)
        return self.identity.embed_face(picture, Face(box, read_landmarks(picture, box), 1.0))


def compare(
    editor: Editor, looks: Looks, ws: Tensor, before: tuple[Array, list[Embedding]], name: str, change: float
) -> tuple[float, float, float]:
    """The change of the own score, leakage, and identity distance, of edits that change it by about ``change``.

    The strength is set on the first codes: what their score gains for a first guess says how far to go.
    """
    attribute = next(one for one in FACE_ATTRIBUTES if one.name == name)
    scores, faces = before
    column = _NAMES.index(name)
    # Without a face there are no attributes to start from, so the mean's are taken.
    own = torch.from_numpy(np.nan_to_num(scores)).float()

    def both_ways(amount: float, count: int) -> tuple[Array, list[float]]:
        edited = [editor(ws[:count], own[:count], attribute, sign * amount) for sign in (-1, 1)]
        after, people = looks(torch.cat(edited))
        distances = [Identity.distance(a, b) for a, b in zip(people, 2 * faces[:count], strict=True)]
        return after.reshape(2, count, -1) - scores[:count], distances

    few = min(_CALIBRATED_ON, len(ws))
    first, _ = both_ways(change, few)
    gain = float(np.nanmean(first[1, :, column] - first[0, :, column])) / (2 * change)
    changes, distances = both_ways(change / max(gain, 0.25), len(ws))
    sizes = np.nanmean(np.abs(changes), axis=(0, 1))
    others = [_NAMES.index(other.name) for other in FACE_ATTRIBUTES if other.name != name]
    moved = float(np.nanmean(changes[1, :, column] - changes[0, :, column])) / 2
    return moved, float(sizes[others].mean() / sizes[column]), float(np.mean(distances))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--codes", type=int, default=16, help="sampled codes to edit (default: 16)")
    parser.add_argument("--records", type=Path, nargs="+", default=[], help="edit these inversions' codes instead")
    parser.add_argument("--only", nargs="+", default=[], help="names of attributes (default: all)")
    parser.add_argument("--change", type=float, default=2.0, help="in deviations of the score (default: 2)")
    parser.add_argument("--epochs", type=int, default=40, help="of training the flows, at most (default: 40)")
    parser.add_argument("--seed", type=int, default=0, help="of training the flows (default: 0)")
    chosen = parser.parse_args()
    try:
        _run(chosen)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _run(chosen: argparse.Namespace) -> None:
    G = generator.load("ffhq").to(dtype=torch.bfloat16)
    names: Sequence[str] = chosen.only or list(known_directions(G.latent_space))
    samples = sample(G, FaceScorer(), cache=cache_folder() / "discovery", progress=_progress).valid()
    ways = editors(G, samples, chosen.epochs, chosen.seed)
    if chosen.records:
        ws = torch.cat([Inversion.load(path).for_generator(G) for path in chosen.records])
    else:
        ws = G.sample(range(FIRST_SEED, FIRST_SEED + chosen.codes), truncation=0.7)
    looks = Looks(G, samples)
    before = looks(ws)
    print(f"{len(ws)} codes; change in deviations of the score, leakage, identity distance")
    print(f"{'':<12}" + "".join(f"{way:>24}" for way in ways))
    rows = []
    for name in names:
        rows.append([compare(editor, looks, ws, before, name, chosen.change) for editor in ways.values()])
        _print_row(name, rows[-1])
    _print_row("mean", np.mean(rows, axis=0).tolist())


def _progress(done: int, total: int) -> None:
    if done % 400 == 0:
        print(f"scored {done} of {total} samples", file=sys.stderr, flush=True)


def _print_row(name: str, cells: Sequence[Sequence[float]]) -> None:
    text = "".join(f"{moved:>10.2f} {leakage:>6.2f} {distance:>6.2f}" for moved, leakage, distance in cells)
    print(f"{name:<12}{text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
