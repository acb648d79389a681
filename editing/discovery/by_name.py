"""The finder for each thing that ``edit discover`` can be asked for."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.editing.discovery.options import Fit, Local, Method, Wish, direction_names
from stylegan_latents.editing.discovery.scorers.by_name import Scored
from stylegan_latents.generator.cli.progress import Begin
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.editing.directions.direction import Direction
    from stylegan_latents.editing.discovery.finders.examples import ExamplePairs
    from stylegan_latents.generator.generator import Generator

TRUNCATION = 0.7
"""Of the samples that directions are looked at and shown on."""

_GANSPACE_SAMPLES, _MASK_SAMPLES, _TEXT_SAMPLES, _SCORED_SAMPLES = 200_000, 8, 32, 5000
_MOST_NAMED = 5


def find_directions(G: "Generator", wish: Wish, scored: Scored | None, begin: Begin) -> "list[Direction]":
    """Run the finder that is asked for.

    Args:
        scored: what ``open_scorer`` gave.
        begin: makes a progress bar.

    Raises:
        InputError: as the finder says.
    """
    if wish.method is Method.SEFA:
        from stylegan_latents.editing.discovery.finders.sefa import SeFa

        return SeFa(G, wish.layers).find(wish.directions)
    if wish.method is Method.GANSPACE:
        from stylegan_latents.editing.discovery.finders.ganspace import GANSpace

        finder = GANSpace(G, wish.layers, samples=wish.samples or _GANSPACE_SAMPLES, seed=wish.seed)
        return finder.find(wish.directions, begin("sampling W"))
    if wish.method is Method.EXAMPLES:
        from stylegan_latents.editing.discovery.finders.examples import Examples

        return [Examples(G, _examples(wish, G), wish.layers).find(wish.stem)]
    if wish.method is Method.STYLESPACE:
        return _style_channels(G, wish, begin)
    if wish.method is Method.LOWRANK:
        from stylegan_latents.editing.discovery.finders.low_rank import LowRank

        ws, masks = _in_places(G, wish, begin) if wish.places else (_looked_at(G, wish), None)
        ranks = LowRank(G, wish.layers, method=(wish.local or Local.RATIO).value)
        return ranks.find(ranks.measure(ws, masks, begin("looking at samples")), wish.directions)
    if wish.method is Method.TEXT:
        return [_by_text(G, wish, begin)]
    if scored is None:
        raise ValueError("InterFaceGAN needs scores")
    return _by_scores(G, wish, scored, begin)


def _style_channels(G: "Generator", wish: Wish, begin: Begin) -> "list[Direction]":
    from stylegan_latents.editing.discovery.finders.stylespace import StyleSpace

    space = StyleSpace(G, wish.layers)
    if wish.places:
        ws, masks = _in_places(G, wish, begin)
        ranked = space.rank_by_mask(ws, masks, progress=begin("looking at samples"))
    else:
        pairs = _examples(wish, G)
        if not pairs.names:
            raise InputError("Ranking style channels needs pairs: records of the same names in both folders.")
        ranked = space.rank_by_examples(pairs.after, pairs.before)
    if wish.together:
        return [space.combine(ranked, wish.directions, wish.stem)]
    return space.find(ranked, wish.directions)


def _examples(wish: Wish, G: "Generator") -> "ExamplePairs":
    """The codes of the two folders; records that have no counterpart are named."""
    from stylegan_latents.editing.discovery.finders.examples import read_examples

    pairs = read_examples(wish.before or Path(), wish.after or Path(), G)
    if pairs.left_out:
        few = ", ".join(pairs.left_out[:_MOST_NAMED]) + (", ..." if len(pairs.left_out) > _MOST_NAMED else "")
        print(printable(f"edit discover: left out, as only one of the folders has them: {few}"), file=sys.stderr)
    return pairs


def _in_places(G: "Generator", wish: Wish, begin: Begin) -> "tuple[Tensor, Tensor]":
    """Codes to look at, and where their pictures are to change."""
    from stylegan_latents.editing.regions.regions import masks_of_codes

    return masks_of_codes(G, _looked_at(G, wish), wish.places, begin("looking for faces"))


def _looked_at(G: "Generator", wish: Wish, samples: int = _MASK_SAMPLES) -> "Tensor":
    return codes(G, range(wish.seed, wish.seed + (wish.samples or samples)))


def _by_text(G: "Generator", wish: Wish, begin: Begin) -> "Direction":
    from stylegan_latents.editing.discovery.scorers.image_text import OPENAI, WEIGHTS, OpenCLIP

    text, neutral = wish.text or "", wish.neutral or ""
    if wish.table is not None:
        from stylegan_latents.editing.discovery.finders.text_table import THRESHOLD, read_text_table
        from stylegan_latents.editing.discovery.scorers.image_text import text_step

        table = read_text_table(wish.table, G)  # before the model, whose weights may have to be fetched
        # The published tables are in the space of OpenAI's own weights.
        model = OpenCLIP(wish.weights or OPENAI, quick_gelu=True, device=G.device)
        table.check_model(model)
        step = text_step(model, text, neutral)
        found = table.direction(step, wish.stem, threshold=wish.threshold or THRESHOLD)
        about = {"positive": text, "neutral": neutral, "model": model.version, "method": wish.table.name}
        return replace(found, provenance={**found.provenance, **about})
    from stylegan_latents.editing.discovery.finders.text import TextDirections

    model = OpenCLIP(wish.weights or WEIGHTS, device=G.device)
    ws = _looked_at(G, wish, _TEXT_SAMPLES)
    finder = TextDirections(G, model, wish.layers)
    return finder.find(text, neutral, ws, name=wish.stem, progress=begin("looking at samples"))


def _by_scores(G: "Generator", wish: Wish, scored: Scored, begin: Begin) -> "list[Direction]":
    from stylegan_latents.editing.discovery.finders.scored_codes import ScoredCodes, parse_groups, read_scores

    layers = wish.layers or "all"
    parse_groups(layers)
    if G.label_dim:
        raise InputError(f"The model '{G.name}' has classes; directions by scores need a model without.")
    names, fit = direction_names(wish, scored), wish.fit or Fit.RIDGE
    if scored.scorer is None:
        # Only what is asked for: a picture without another score serves all the same.
        samples = read_scores(scored.table or Path(), G).of(tuple(dict.fromkeys((*names, *wish.hold))))
        return ScoredCodes(G, samples, method=fit.value).find(names, fixed=wish.hold, layers=layers)
    import torch

    from stylegan_latents.editing.discovery.finders.interfacegan import InterFaceGAN
    from stylegan_latents.editing.discovery.fitting.attributes import FACE_ATTRIBUTES, Attribute
    from stylegan_latents.editing.discovery.fitting.samples import sample
    from stylegan_latents.editing.discovery.scorers.faces import FaceScorer
    from stylegan_latents.generator.precision import resolve_precision
    from stylegan_latents.generator.weights.fetch import cache_folder

    known = {attribute.name: attribute for attribute in FACE_ATTRIBUTES} if wish.scorer == "faces" else {}
    attributes = [
        known[name]
        if name in known and wish.layers is None and not wish.hold
        else Attribute(name, f"more {name}", f"less {name}", layers, wish.hold)
        for name in names
    ]
    if resolve_precision("auto", G.device) == "bfloat16":
        G.to(dtype=torch.bfloat16)
    scorer = FaceScorer(quick=True) if isinstance(scored.scorer, FaceScorer) else scored.scorer
    samples = sample(
        G,
        scorer,
        wish.samples or _SCORED_SAMPLES,
        seed=wish.seed,
        cache=cache_folder() / "discovery",
        progress=begin("scoring samples"),
    )
    # Refining tells attributes apart; one alone has nothing to be told from.
    finder = InterFaceGAN(
        G,
        scorer,
        samples,
        method=fit.value,
        refine=len(attributes) > 1,
        report=lambda step: _say(begin, step),
    )
    return [found.direction for found in finder.find(attributes)]


def _say(begin: Begin, step: str) -> None:
    """A step of which only the beginning is known."""
    begin(step)


def codes(G: "Generator", seeds: Sequence[int]) -> "Tensor":
    """Codes of these seeds, ``[len(seeds), num_ws, w_dim]``; of one class after the other, where there are any."""
    if not G.label_dim:
        return G.sample(seeds, truncation=TRUNCATION)
    import torch

    classes = torch.tensor([seed % G.label_dim for seed in seeds])
    return G.sample(seeds, torch.nn.functional.one_hot(classes, G.label_dim).float(), truncation=TRUNCATION)
