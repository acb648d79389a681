"""Is a flow of attributes (StyleFlow) a better editor than linear directions? Measured on the default model.

    python -m tests.benchmarks.flow                                # sampled codes
    python -m tests.benchmarks.flow --records folder/*.inversion.safetensors

Three editors make the same mean change of the same score, forth and back, on the same codes:
    linear      a ridge fit of the flow's samples with the other scores projected out (InterFaceGAN as published)
    shipped     the shipped direction, from 8,000 samples, with its leakage measured and reduced
    flow        the flow of `edit discover --method flow`, in the rows that the shipped direction moves
They are compared by the change of the other scores over that of their own, and by identity distance. The first run
scores the samples and trains the flow, which takes some minutes; scores and the flow are kept.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from stylegan_latents import generator
from stylegan_latents.editing.commands.evaluate import FIRST_SEED
from stylegan_latents.editing.directions.catalogue import find_direction, known_directions
from stylegan_latents.editing.discovery.finders.flow import Flow
from stylegan_latents.editing.discovery.fitting.linear import fit
from stylegan_latents.editing.discovery.fitting.samples import Samples, sample
from stylegan_latents.editing.discovery.scorers.faces import FACE_ATTRIBUTES, FaceScorer
from stylegan_latents.editing.discovery.scorers.scorer import Array, Attribute
from stylegan_latents.editing.nonlinear.attribute_flow import AttributeFlow
from stylegan_latents.editing.nonlinear.flow_files import load_flow
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.layers import GROUPS
from stylegan_latents.generator.ops.memory import keep_freed_memory
from stylegan_latents.generator.weights.fetch import cache_folder
from stylegan_latents.invert.faces.detector import Face
from stylegan_latents.invert.faces.dlib_landmarks import aligned_box, read_landmarks
from stylegan_latents.invert.faces.identity import Embedding, Identity
from stylegan_latents.invert.photos.files import to_picture
from stylegan_latents.invert.record.inversion import Inversion

_NAMES = FaceScorer.names
# Attributes further out than the samples reach would ask the flow for what it has not seen.
_FARTHEST = 4.0
_SIZE, _BATCH = 256, 4
_CALIBRATED_ON = 6
Editor = Callable[[Tensor, Array, Attribute, float], Tensor]
"""Codes ``[N, num_ws, w_dim]``, their scores, what to change, and by how many deviations; gives codes."""


def editors(G: generator.Generator, samples: Samples, flow: AttributeFlow) -> dict[str, Editor]:
    """The three ways to edit, by name."""
    model = fit(samples)
    groups = [GROUPS.index(group) for group in G.ws_groups]
    held = [attribute.name for attribute in FACE_ATTRIBUTES]

    def linear(ws: Tensor, _: Array, attribute: Attribute, amount: float) -> Tensor:
        others = [name for name in (*held, *attribute.fixed) if name != attribute.name]
        step = model.direction(attribute.name, fixed=others, groups=attribute.groups)
        return ws + 2 * amount * torch.from_numpy(step).float()[groups]

    def shipped(ws: Tensor, _: Array, attribute: Attribute, amount: float) -> Tensor:
        return find_direction(attribute.name, G).apply(ws, amount)

    def with_flow(ws: Tensor, scores: Array, attribute: Attribute, amount: float) -> Tensor:
        found = [dict(zip(_NAMES, row, strict=True)) for row in scores.tolist()]
        seen = [{name: value for name, value in row.items() if np.isfinite(value)} for row in found]
        before = torch.stack([flow.attributes_of(row, {}) for row in seen])
        after, index = before.clone(), flow.index(attribute.name)
        one = flow.attributes[index]
        after[:, index] += amount * one.deviation
        low, high = (one.mean + sign * _FARTHEST * one.deviation for sign in (-1, 1))
        after[:, index].clamp_(low, high)
        return flow.change(ws, before, after, one.rows(G))

    return {"linear": linear, "shipped": shipped, "flow": with_flow}


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

    def both_ways(amount: float, count: int) -> tuple[Array, list[float]]:
        own = looks.mean + scores[:count] * looks.deviation
        edited = [editor(ws[:count], own, attribute, sign * amount) for sign in (-1, 1)]
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
    parser.add_argument("--samples", type=int, default=2000, help="to train on (default: 2000)")
    parser.add_argument("--codes", type=int, default=20, help="sampled codes to edit (default: 20)")
    parser.add_argument("--records", type=Path, nargs="+", default=[], help="edit these inversions' codes instead")
    parser.add_argument("--only", nargs="+", default=[], help="names of attributes (default: all)")
    parser.add_argument("--change", type=float, default=1.5, help="in deviations of the score (default: 1.5)")
    parser.add_argument("--flow", type=Path, default=Path("flow.safetensors"), help="the flow's file, kept there")
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
    samples = sample(
        G,
        FaceScorer().faster(),
        chosen.samples,
        mixed=False,
        cache=cache_folder() / "discovery",
        progress=_progress,
    ).valid()
    if not chosen.flow.exists():
        (made,) = Flow(G, samples, FACE_ATTRIBUTES, scorer="faces").find()
        made.save(chosen.flow)
    flow = load_flow(chosen.flow)
    print(f"flow: {flow.provenance}")
    ways = editors(G, samples, flow)
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
