"""What finders by scores share: the options of scoring samples, the attributes to find, and the scored samples."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, ClassVar

from stylegan_latents.editing.discovery.finders.base import (
    SampledOptions,
    check_file_name,
    is_file_name,
    sample_option,
    score_option,
)
from stylegan_latents.editing.discovery.scorers.by_name import TrustScorer, open_scorer, scorer_words
from stylegan_latents.editing.samples.sampling import check_truncation
from stylegan_latents.generator.cli.progress import Begin
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from stylegan_latents.editing.discovery.fitting.samples import Samples
    from stylegan_latents.editing.discovery.scorers.scorer import Attribute, Scorer
    from stylegan_latents.editing.discovery.scorers.table import ScoreTable
    from stylegan_latents.generator.generator import Generator


@dataclass(frozen=True, kw_only=True)
class ByScores(SampledOptions):
    """Options of finders that score samples."""

    method: ClassVar[str]
    default_samples: ClassVar[int] = 5000
    default_truncation: ClassVar[float] = 0.8

    scorer: Annotated[
        str | None,
        score_option(
            help=f"Scorer of pictures: {scorer_words()}. The preprocessing and names of a network are read from "
            "NAME.json beside NAME.onnx, or from Hugging Face's preprocessor_config.json and config.json.",
            metavar="SCORER",
        ),
    ] = None
    trust_scorer: TrustScorer = False
    score: Annotated[
        list[str],
        score_option(help="A score to find a direction for; repeatable; all by default.", metavar="NAME"),
    ] = field(default_factory=list)
    hold: Annotated[list[str], score_option(help="A score to preserve; repeatable.", metavar="NAME")] = field(
        default_factory=list
    )
    truncation: Annotated[
        float | None,
        sample_option(help=f"Truncation of the samples, from 0 to 1; {default_truncation} by default."),
    ] = None
    exact: Annotated[bool, sample_option("--exact", help="Score exact pictures instead of sketches; slower.")] = (
        False
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scorer is None:
            raise InputError(f"--method {self.method} needs --scorer: {scorer_words()}.")
        for name in self.score:
            check_file_name(name)
        if self.truncation is not None:
            check_truncation(self.truncation)

    def open_scorer(self, begin: Begin) -> "Scorer | ScoreTable":
        """The scorer, or table of scores; InputError if it lacks a given score."""
        scorer = open_scorer(self.scorer or "", begin, trusted=self.trust_scorer)
        for name in (*self.score, *self.hold):
            if name not in scorer.names:
                raise InputError(f"There is no score '{name}'; {self.scorer} has {', '.join(scorer.names)}.")
        return scorer

    def attributes(self, scorer: "Scorer") -> "list[Attribute]":
        """The scorer's attributes; plain ones for other scores, or if layers or scores to preserve are given."""
        from stylegan_latents.editing.discovery.scorers.scorer import Attribute

        default = {attribute.name: attribute for attribute in scorer.default_attributes()}
        names = self.file_names(self.score or tuple(default))
        if self.layers is None and not self.hold:
            return [default.get(name) or Attribute(name, f"more {name}", f"less {name}", "all") for name in names]
        layers, fixed = self.layers or "all", tuple(self.hold)
        return [Attribute(name, f"more {name}", f"less {name}", layers, fixed) for name in names]

    def file_names(self, names: Sequence[str]) -> tuple[str, ...]:
        """The names, each once; InputError for one that cannot be a file's."""
        for name in names:
            if not is_file_name(name):
                raise InputError(f"The score '{name}' cannot be a file's name; give it another in {self.scorer}.")
        return tuple(dict.fromkeys(names))

    def check_model(self, G: "Generator") -> None:
        """Raise InputError for a model that a fit on scores does not support."""
        if G.label_dim:
            raise InputError(f"The model '{G.name}' has classes; directions by scores need a model without.")

    def scorer_for(self, G: "Generator", scorer: "Scorer", names: Iterable[str]) -> "Scorer":
        """The scorer for a generator's samples, in a precision sufficient for scores.

        Raises:
            InputError: one of the named scores is the same for all grey pictures, as the generator makes.
        """
        import torch

        from stylegan_latents.generator.precision import resolve_precision

        self.check_model(G)
        if resolve_precision("auto", G.device) == "bfloat16":
            G.to(dtype=torch.bfloat16)
        scorer = scorer.grey() if G.image_channels < 3 else scorer
        for name in (name for name in names if name not in scorer.names):
            raise InputError(
                f"'{name}' is the same for all grey pictures, as '{G.name}' makes; choose others with --score."
            )
        return scorer if self.exact else scorer.faster()

    def scored(self, G: "Generator", scorer: "Scorer", begin: Begin, *, mixed: bool = True) -> "Samples":
        """Scored samples, see ``fitting.samples.sample``, from the cache where they are there."""
        from stylegan_latents.editing.discovery.fitting.samples import sample
        from stylegan_latents.generator.weights.fetch import cache_folder

        return sample(
            G,
            scorer,
            self.samples or self.default_samples,
            seed=self.seed,
            truncation=self.default_truncation if self.truncation is None else self.truncation,
            exact=self.exact,
            mixed=mixed,
            cache=cache_folder() / "discovery",
            progress=begin("scoring samples"),
        )
