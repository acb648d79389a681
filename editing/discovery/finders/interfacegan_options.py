"""Options of ``edit discover --method interfacegan``: directions by scores of samples, or of codes in a table."""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from stylegan_latents.editing.discovery.finders.base import (
    Finder,
    Plan,
    SampledOptions,
    check_file_name,
    is_file_name,
    sample_option,
)
from stylegan_latents.editing.discovery.scorers.by_name import TrustScorer, open_scorer, scorer_words
from stylegan_latents.editing.samples.sampling import check_truncation
from stylegan_latents.generator.cli.progress import Begin
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from stylegan_latents.editing.discovery.finders.interfacegan import InterFaceGAN
    from stylegan_latents.editing.discovery.scorers.scorer import Attribute, Scorer
    from stylegan_latents.editing.discovery.scorers.table import ScoreTable
    from stylegan_latents.generator.generator import Generator

_score_option = partial(typer.Option, rich_help_panel="Scores")
_test_option = partial(typer.Option, rich_help_panel="Edits of held-out samples", metavar="NAME")
_SCORER_HELP = (
    f"Scorer of pictures: {scorer_words()}. The preprocessing and names of a network are read from NAME.json "
    "beside NAME.onnx, or from Hugging Face's preprocessor_config.json and config.json."
)
_BY_EDITS = ("reduce_leakage", "hold_identity", "least_identity_change")
# Options for scoring pictures, which a table needs none of.
_FOR_PICTURES = ("samples", "truncation", "exact", "codes", *_BY_EDITS)
_SAMPLES, _CODES, _TRUNCATION = 5000, 32, 0.8


class Fit(StrEnum):
    """The linear models of InterFaceGAN."""

    RIDGE = "ridge"
    SVM = "svm"
    LOGISTIC = "logistic"


@dataclass(frozen=True, kw_only=True)
class InterFaceGANOptions(SampledOptions):
    """Options of InterFaceGAN, by a scorer or by a table of scores."""

    scorer: Annotated[str | None, _score_option(help=_SCORER_HELP, metavar="SCORER")] = None
    trust_scorer: TrustScorer = False
    score: Annotated[
        list[str],
        _score_option(help="A score to find a direction for; repeatable; all by default.", metavar="NAME"),
    ] = field(default_factory=list)
    hold: Annotated[list[str], _score_option(help="A score to preserve; repeatable.", metavar="NAME")] = field(
        default_factory=list
    )
    fit: Annotated[
        Fit | None, _score_option(help="The linear model of the scores; ridge by default.", show_choices=True)
    ] = None
    truncation: Annotated[
        float | None, sample_option(help=f"Truncation of the samples, from 0 to 1; {_TRUNCATION} by default.")
    ] = None
    exact: Annotated[bool, sample_option("--exact", help="Score exact pictures instead of sketches; slower.")] = (
        False
    )
    codes: Annotated[
        int | None,
        _test_option(min=2, metavar="N", help=f"Number of test samples; {_CODES} by default."),
    ] = None
    reduce_leakage: Annotated[
        list[str],
        _test_option(
            "--reduce-leakage",
            "--steady",
            help="A direction that has to preserve the other scores on every picture, not only on average; takes "
            "minutes; repeatable.",
        ),
    ] = field(default_factory=list)
    hold_identity: Annotated[
        list[str],
        _test_option(
            "--hold-identity", "--keep-person", help="A direction that has to preserve the identity; repeatable."
        ),
    ] = field(default_factory=list)
    least_identity_change: Annotated[
        list[str],
        _test_option(
            "--least-identity-change",
            "--spare-person",
            help="A direction fitted on the samples to change the identity least; repeatable.",
        ),
    ] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scorer is None:
            raise InputError(f"--method interfacegan needs --scorer: {scorer_words()}.")
        for name in self.score:
            check_file_name(name)
        if self.truncation is not None:
            check_truncation(self.truncation)

    def plan(self, begin: Begin) -> Plan:
        scorer = open_scorer(self.scorer or "", begin, trusted=self.trust_scorer)
        for name in (*self.score, *self.hold):
            if name not in scorer.names:
                raise InputError(f"There is no score '{name}'; {self.scorer} has {', '.join(scorer.names)}.")
        from stylegan_latents.editing.discovery.scorers.table import ScoreTable

        if isinstance(scorer, ScoreTable):
            return self._plan_of_table(scorer)
        attributes = self._attributes(scorer)
        names = tuple(attribute.name for attribute in attributes)
        for option in _BY_EDITS:
            for name in getattr(self, option):
                if name not in names:
                    spelled = option.replace("_", "-")
                    raise InputError(f"--{spelled} {name} is none of the directions to find: {', '.join(names)}.")
        made: list[InterFaceGAN] = []

        def make(G: "Generator") -> Finder:
            made.append(self._finder(G, scorer, attributes, begin))
            return made[0]

        def report() -> str:
            from stylegan_latents.editing.discovery.fitting.leakage import table

            return table(made[0].effects) if len(names) > 1 else ""

        notes = [
            f"With two classes one direction serves both: a negative strength of '{second}' leads to '{first}'."
            for first, second in (group for group in scorer.exclusive if len(group) == 2 and not self.score)
        ]
        return Plan(names, make, None, (*scorer.notes, *notes), report)

    def _plan_of_table(self, table: "ScoreTable") -> Plan:
        for option in _FOR_PICTURES:
            if getattr(self, option):
                raise InputError(
                    f"--{option.replace('_', '-')} has no meaning for a table, which is used whole; leave it out."
                )
        names = self._file_names(self.score or table.names)

        def make(G: "Generator") -> Finder:
            from stylegan_latents.editing.discovery.finders.scored_codes import ScoredCodes, read_scores

            layers = self._check(G)
            # Only the needed scores: rows may lack the others.
            samples = read_scores(table, G).select(tuple(dict.fromkeys((*names, *self.hold))))
            method = self.fit or Fit.RIDGE
            return ScoredCodes(G, samples, names, fixed=self.hold, layers=layers, method=method.value)

        return Plan(names, make, None)

    def _attributes(self, scorer: "Scorer") -> "list[Attribute]":
        """The scorer's attributes; plain ones for other scores, or if layers or scores to preserve are given."""
        from stylegan_latents.editing.discovery.scorers.scorer import Attribute

        default = {attribute.name: attribute for attribute in scorer.default_attributes()}
        names = self._file_names(self.score or tuple(default))
        if self.layers is None and not self.hold:
            return [default.get(name) or Attribute(name, f"more {name}", f"less {name}", "all") for name in names]
        layers, fixed = self.layers or "all", tuple(self.hold)
        return [Attribute(name, f"more {name}", f"less {name}", layers, fixed) for name in names]

    def _file_names(self, names: "tuple[str, ...] | list[str]") -> tuple[str, ...]:
        for name in names:
            if not is_file_name(name):
                raise InputError(f"The score '{name}' cannot be a file's name; give it another in {self.scorer}.")
        return tuple(dict.fromkeys(names))

    def _check(self, G: "Generator") -> str:
        """The layers; raises InputError for a model or layers that a fit on scores does not support."""
        from stylegan_latents.editing.discovery.fitting.linear import parse_groups

        layers = self.layers or "all"
        parse_groups(layers)
        if G.label_dim:
            raise InputError(f"The model '{G.name}' has classes; directions by scores need a model without.")
        return layers

    def _finder(
        self, G: "Generator", scorer: "Scorer", attributes: "list[Attribute]", begin: Begin
    ) -> "InterFaceGAN":
        import torch

        from stylegan_latents.editing.discovery.finders.interfacegan import InterFaceGAN
        from stylegan_latents.editing.discovery.fitting.identity import IdentityScorer
        from stylegan_latents.editing.discovery.fitting.samples import sample
        from stylegan_latents.editing.discovery.scorers.scorer import Scorers
        from stylegan_latents.generator.precision import resolve_precision
        from stylegan_latents.generator.weights.fetch import cache_folder

        self._check(G)
        if resolve_precision("auto", G.device) == "bfloat16":
            G.to(dtype=torch.bfloat16)
        scorer = scorer.grey() if G.image_channels < 3 else scorer
        for name in (attribute.name for attribute in attributes if attribute.name not in scorer.names):
            raise InputError(
                f"'{name}' is the same for all grey pictures, as '{G.name}' makes; choose others with --score."
            )
        used = scorer if self.exact else scorer.faster()
        identity = IdentityScorer() if self.hold_identity or self.least_identity_change else None
        both = Scorers((used, identity)) if identity is not None and self.least_identity_change else used
        samples = sample(
            G,
            both,
            self.samples or _SAMPLES,
            seed=self.seed,
            truncation=_TRUNCATION if self.truncation is None else self.truncation,
            exact=self.exact,
            cache=cache_folder() / "discovery",
            progress=begin("scoring samples"),
        )
        return InterFaceGAN(
            G,
            used,
            samples,
            attributes=attributes,
            method=(self.fit or Fit.RIDGE).value,
            codes=self.codes or _CODES,
            exact=self.exact,
            # Refining disentangles several attributes.
            refine=len(attributes) > 1,
            reduce_leakage=self.reduce_leakage,
            hold_identity=self.hold_identity,
            least_identity_change=self.least_identity_change,
            identity=identity,
            report=begin,
        )
