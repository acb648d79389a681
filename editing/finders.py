"""What ``edit discover`` can be asked for, and the finder for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from editing.counting import Begin
from editing.scored import Scored, open_scores
from generator.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from editing.direction import Direction
    from generator.generator import Generator

TRUNCATION = 0.7
"""Of the samples that directions are looked at and shown on."""

_GANSPACE_SAMPLES, _MASK_SAMPLES, _TEXT_SAMPLES, _SCORED_SAMPLES = 200_000, 8, 32, 5000


class Method(StrEnum):
    """The finders."""

    SEFA = "sefa"
    GANSPACE = "ganspace"
    STYLESPACE = "stylespace"
    EXAMPLES = "examples"
    INTERFACEGAN = "interfacegan"
    LOWRANK = "lowrank"
    TEXT = "text"


@dataclass(frozen=True)
class Wish:
    """What the user asked for; see the options of ``edit discover``."""

    method: Method
    count: int = 10
    layers: str | None = None
    samples: int | None = None
    seed: int = 0
    before: Path | None = None
    after: Path | None = None
    mask: Path | None = None
    name: str | None = None
    scorer: str | None = None
    scores: tuple[str, ...] = ()
    hold: tuple[str, ...] = ()
    text: str | None = None
    neutral: str | None = None
    weights: str | None = None

    @property
    def stem(self) -> str:
        """What the sheet is called, and a direction from examples."""
        return self.name or self.method.value

    def check(self) -> None:
        """Refuse, before a model is loaded, what a method cannot do.

        Raises:
            InputError: an option is missing, or is for another method.
        """
        method, pair = self.method, self.before is not None and self.after is not None
        if (self.before is None) != (self.after is None):
            raise InputError("--before and --after go together: give a folder of records for each.")
        if method is Method.EXAMPLES and not pair:
            raise InputError("--method examples needs two folders of records: --before FOLDER --after FOLDER.")
        if method is Method.STYLESPACE and pair == (self.mask is not None):
            raise InputError("--method stylespace needs either --mask PICTURE, or --before FOLDER --after FOLDER.")
        if method is Method.INTERFACEGAN and self.scorer is None:
            raise InputError(
                "--method interfacegan needs --scorer: faces, colour, an .onnx or TorchScript file, a .csv of "
                "scores, or a folder with a folder of pictures for each label."
            )
        if method is Method.TEXT and not (
            self.text and self.text.strip() and self.neutral and self.neutral.strip()
        ):
            raise InputError("--method text needs --text and --neutral, such as 'a smiling face' and 'a face'.")
        texts = self.text is not None or self.neutral is not None or self.weights is not None
        foreign = {
            "--text": texts and method is not Method.TEXT,
            "--mask": self.mask is not None and method not in (Method.STYLESPACE, Method.LOWRANK),
            "--before": pair and method not in (Method.STYLESPACE, Method.EXAMPLES),
            "--scorer": self.scorer is not None and method is not Method.INTERFACEGAN,
            "--score": bool(self.scores or self.hold) and method is not Method.INTERFACEGAN,
            "--name": self.name is not None and method not in (Method.EXAMPLES, Method.TEXT),
        }
        for option, given in foreign.items():
            if given:
                raise InputError(f"--method {method.value} does not take {option}; leave it out.")
        for name in (self.name, *self.scores):
            if name is not None and not _is_file_name(name):
                raise InputError(f"'{name}' cannot be a file's name; use letters, such as smile.")


def open_scorer(wish: Wish, begin: Begin) -> Scored | None:
    """The scores that are asked for; None for a method that needs none.

    Raises:
        InputError: there is no such scorer, it cannot be read, or it lacks a score that is named.
    """
    if wish.scorer is None:
        return None
    scored = open_scores(wish.scorer, begin)
    for name in (*wish.scores, *wish.hold):
        if name not in scored.names:
            raise InputError(f"There is no score '{name}'; {wish.scorer} has {', '.join(scored.names)}.")
    return scored


def direction_names(wish: Wish, scored: Scored | None) -> list[str]:
    """What the directions, and their files, will be called.

    Raises:
        InputError: a score's name cannot be a file's.
    """
    if wish.method in (Method.EXAMPLES, Method.TEXT):
        return [wish.stem]
    if wish.method is not Method.INTERFACEGAN or scored is None:
        return [f"{wish.method.value}-{index:02d}" for index in range(wish.count)]
    if wish.scores:
        return list(dict.fromkeys(wish.scores))
    if wish.scorer == "faces":
        from editing.discovery.attributes import FACE_ATTRIBUTES

        return [attribute.name for attribute in FACE_ATTRIBUTES]
    for name in scored.names:
        if not _is_file_name(name):
            raise InputError(f"The score '{name}' cannot be a file's name; give it another in {wish.scorer}.")
    return list(scored.names)


def find_directions(G: "Generator", wish: Wish, scored: Scored | None, begin: Begin) -> "list[Direction]":
    """Run the finder that is asked for.

    Args:
        scored: what :func:`open_scorer` gave.
        begin: makes a progress bar.

    Raises:
        InputError: as the finder says.
    """
    if wish.method is Method.SEFA:
        from editing.discovery.sefa import SeFa

        return SeFa(G, wish.layers).find(wish.count)
    if wish.method is Method.GANSPACE:
        from editing.discovery.ganspace import GANSpace

        finder = GANSpace(G, wish.layers, samples=wish.samples or _GANSPACE_SAMPLES, seed=wish.seed)
        return finder.find(wish.count, begin("sampling W"))
    if wish.method is Method.EXAMPLES:
        from editing.discovery.examples import Examples, read_examples

        pairs = read_examples(wish.before or Path(), wish.after or Path(), G)
        return [Examples(G, pairs, wish.layers).find(wish.stem)]
    if wish.method is Method.STYLESPACE:
        return _style_channels(G, wish, begin)
    if wish.method is Method.LOWRANK:
        from editing.discovery.low_rank import LowRank

        place = None if wish.mask is None else read_mask(wish.mask)
        ranks = LowRank(G, wish.layers)
        return ranks.find(ranks.measure(_looked_at(G, wish), place, begin("looking at samples")), wish.count)
    if wish.method is Method.TEXT:
        return [_by_text(G, wish, begin)]
    if scored is None:
        raise ValueError("InterFaceGAN needs scores")
    return _by_scores(G, wish, scored, begin)


def _style_channels(G: "Generator", wish: Wish, begin: Begin) -> "list[Direction]":
    from editing.discovery.stylespace import StyleSpace

    space = StyleSpace(G, wish.layers)
    if wish.before is not None and wish.after is not None:
        from editing.discovery.examples import read_examples

        pairs = read_examples(wish.before, wish.after, G)
        if not pairs.names:
            raise InputError("Ranking style channels needs pairs: records of the same names in both folders.")
        return space.find(space.rank_by_examples(pairs.after, pairs.before), wish.count)
    mask = read_mask(wish.mask or Path())
    ranked = space.rank_by_mask(_looked_at(G, wish), mask, progress=begin("looking at samples"))
    return space.find(ranked, wish.count)


def _looked_at(G: "Generator", wish: Wish, samples: int = _MASK_SAMPLES) -> "Tensor":
    return codes(G, range(wish.seed, wish.seed + (wish.samples or samples)))


def _by_text(G: "Generator", wish: Wish, begin: Begin) -> "Direction":
    from editing.discovery.image_text import WEIGHTS, OpenCLIP
    from editing.discovery.text import TextDirections

    model = OpenCLIP(wish.weights or WEIGHTS, device=G.device)
    return TextDirections(G, model, wish.layers).find(
        wish.text or "",
        wish.neutral or "",
        _looked_at(G, wish, _TEXT_SAMPLES),
        name=wish.stem,
        progress=begin("looking at samples"),
    )


def _by_scores(G: "Generator", wish: Wish, scored: Scored, begin: Begin) -> "list[Direction]":
    from editing.discovery.scored_codes import ScoredCodes, parse_groups, read_scores

    layers = wish.layers or "all"
    parse_groups(layers)
    if G.label_dim:
        raise InputError(f"The model '{G.name}' has classes; directions by scores need a model without.")
    names = direction_names(wish, scored)
    if scored.scorer is None:
        samples = read_scores(scored.table or Path(), G)
        return ScoredCodes(G, samples).find(names, fixed=wish.hold, layers=layers)
    import torch

    from editing.discovery.attributes import FACE_ATTRIBUTES, Attribute
    from editing.discovery.faces import FaceScorer
    from editing.discovery.interfacegan import InterFaceGAN
    from editing.discovery.samples import sample
    from generator.fetch import cache_folder
    from generator.precision import resolve_precision

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
    finder = InterFaceGAN(G, scorer, samples, refine=len(attributes) > 1, report=lambda step: _say(begin, step))
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


def read_mask(path: Path) -> "Tensor":
    """A picture's lightness as a mask, ``[1, 1, H, W]`` in [0, 1].

    Raises:
        InputError: it cannot be read.
    """
    import numpy as np
    import torch

    from invert.photo import read_photo

    lightness = np.asarray(read_photo(path).convert("L"), dtype=np.float32) / 255
    return torch.from_numpy(lightness)[None, None]


def _is_file_name(name: str) -> bool:
    return bool(name) and not set(name) & set('/\\:*?"<>|') and name not in (".", "..") and name.isprintable()
