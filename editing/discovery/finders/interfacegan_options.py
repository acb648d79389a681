"""What ``edit discover --method interfacegan`` can be told: scores of samples, or of codes in a table."""

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
    of_samples,
)
from stylegan_latents.editing.discovery.scorers.by_name import open_scorer, scorer_words
from stylegan_latents.editing.samples.sampling import check_truncation
from stylegan_latents.generator.cli.progress import Begin
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from stylegan_latents.editing.discovery.finders.interfacegan import InterFaceGAN
    from stylegan_latents.editing.discovery.scorers.scorer import Attribute, Scorer
    from stylegan_latents.editing.discovery.scorers.table import ScoreTable
    from stylegan_latents.generator.generator import Generator

_scores = partial(typer.Option, rich_help_panel="Scores")
_tests = partial(typer.Option, rich_help_panel="Edits of held-out samples", metavar="NAME")
_SCORER_HELP = (
    f"What scores pictures: {scorer_words()}. What a network wants (size, mean, names) is read from NAME.json "
    "beside NAME.onnx, or from Hugging Face's preprocessor_config.json and config.json."
)
_BY_EDITS = ("reduce_leakage", "hold_identity", "least_identity_change")
_FOR_PICTURES = ("samples", "truncation", "exact", "codes", *_BY_EDITS)
"""Options that say how pictures are scored, of which a table has none."""
_SAMPLES, _CODES, _TRUNCATION = 5000, 32, 0.8


class Fit(StrEnum):
    """The linear models of InterFaceGAN."""

    RIDGE = "ridge"
    SVM = "svm"
    LOGISTIC = "logistic"


@dataclass(frozen=True, kw_only=True)
class InterFaceGANOptions(SampledOptions):
    """What InterFaceGAN can be told."""

    scorer: Annotated[str | None, _scores(help=_SCORER_HELP, metavar="SCORER")] = None
    score: Annotated[
        list[str], _scores(help="A score to find a direction for; repeatable; all by default.", metavar="NAME")
    ] = field(default_factory=list)
    hold: Annotated[list[str], _scores(help="A score to leave alone; repeatable.", metavar="NAME")] = field(
        default_factory=list
    )
    fit: Annotated[
        Fit | None, _scores(help="The linear model of the scores; ridge by default.", show_choices=True)
    ] = None
    truncation: Annotated[
        float | None, of_samples(help=f"1 as drawn, 0 the mean picture; {_TRUNCATION} by default.")
    ] = None
    exact: Annotated[
        bool, of_samples("--exact", help="Score exact pictures, slowly, in place of quick sketches.")
    ] = False
    codes: Annotated[
        int | None, _tests(min=2, metavar="N", help=f"How many each direction is tested on; {_CODES} by default.")
    ] = None
    reduce_leakage: Annotated[
        list[str],
        _tests(
            "--reduce-leakage",
            "--steady",
            help="A direction that is to leave the other scores alone on every picture, not on average alone; "
            "takes minutes; repeatable.",
        ),
    ] = field(default_factory=list)
    hold_identity: Annotated[
        list[str],
        _tests("--hold-identity", "--keep-person", help="One that is to leave the identity alone; repeatable."),
    ] = field(default_factory=list)
    least_identity_change: Annotated[
        list[str],
        _tests(
            "--least-identity-change",
            "--spare-person",
            help="One that is fitted to change the identity least, as far as the samples tell; repeatable.",
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
        scorer = open_scorer(self.scorer or "", begin)
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
                    words = option.replace("_", "-")
                    raise InputError(f"--{words} {name} is none of the directions to find: {', '.join(names)}.")
        made: list[InterFaceGAN] = []

        def make(G: "Generator") -> Finder:
            made.append(self._finder(G, scorer, attributes, begin))
            return made[0]

        def report() -> str:
            from stylegan_latents.editing.discovery.fitting.leakage import table

            return table(made[0].effects) if len(names) > 1 else ""

        notes = [
            f"With two classes one direction serves both: a negative strength of '{other}' leads to '{one}'."
            for one, other in (group for group in scorer.exclusive if len(group) == 2 and not self.score)
        ]
        return Plan(names, make, None, (*scorer.notes, *notes), report)

    def _plan_of_table(self, table: "ScoreTable") -> Plan:
        """Directions of codes that were scored elsewhere."""
        for option in _FOR_PICTURES:
            if getattr(self, option):
                raise InputError(
                    f"--{option.replace('_', '-')} has no meaning for a table, all of which is used; leave it out."
                )
        names = self._file_names(self.score or table.names)

        def make(G: "Generator") -> Finder:
            from stylegan_latents.editing.discovery.finders.scored_codes import ScoredCodes, read_scores

            layers = self._check(G)
            # Only what is asked for: a picture without another score serves all the same.
            samples = read_scores(table, G).of(tuple(dict.fromkeys((*names, *self.hold))))
            method = self.fit or Fit.RIDGE
            return ScoredCodes(G, samples, names, fixed=self.hold, layers=layers, method=method.value)

        return Plan(names, make, None)

    def _attributes(self, scorer: "Scorer") -> "list[Attribute]":
        """What to find directions for: as the scorer says, unless the layers or the scores to hold are given."""
        from dataclasses import replace

        from stylegan_latents.editing.discovery.scorers.scorer import Attribute

        default = {attribute.name: attribute for attribute in scorer.default_attributes()}
        names = self._file_names(self.score or tuple(default))
        if self.layers is None and not self.hold:
            return [default.get(name) or Attribute(name, f"more {name}", f"less {name}", "all") for name in names]
        plain = [Attribute(name, f"more {name}", f"less {name}", self.layers or "all") for name in names]
        return [replace(one, fixed=tuple(self.hold)) for one in plain]

    def _file_names(self, names: "tuple[str, ...] | list[str]") -> tuple[str, ...]:
        for name in names:
            if not is_file_name(name):
                raise InputError(f"The score '{name}' cannot be a file's name; give it another in {self.scorer}.")
        return tuple(dict.fromkeys(names))

    def _check(self, G: "Generator") -> str:
        """The layers; refuses a model or layers that a fit on scores cannot take."""
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
            # Refining tells attributes apart; one alone has nothing to be told from.
            refine=len(attributes) > 1,
            reduce_leakage=self.reduce_leakage,
            hold_identity=self.hold_identity,
            least_identity_change=self.least_identity_change,
            identity=identity,
            report=begin,
        )
