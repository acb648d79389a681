"""Options of ``edit discover --method interfacegan``: directions by scores of samples, or of codes in a table."""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from stylegan_latents.editing.discovery.finders.base import (
    Finder,
    Plan,
    score_option,
)
from stylegan_latents.editing.discovery.finders.by_scores import ByScores
from stylegan_latents.generator.cli.progress import Begin
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from stylegan_latents.editing.discovery.finders.interfacegan import InterFaceGAN
    from stylegan_latents.editing.discovery.scorers.scorer import Attribute, Scorer
    from stylegan_latents.editing.discovery.scorers.table import ScoreTable
    from stylegan_latents.generator.generator import Generator

_test_option = partial(typer.Option, rich_help_panel="Edits of held-out samples", metavar="NAME")
_BY_EDITS = ("reduce_leakage", "hold_identity", "least_identity_change")
# Options for scoring pictures, which a table needs none of.
_FOR_PICTURES = ("samples", "truncation", "exact", "codes", *_BY_EDITS)
_CODES = 32


class Fit(StrEnum):
    """The linear models of InterFaceGAN."""

    RIDGE = "ridge"
    SVM = "svm"
    LOGISTIC = "logistic"


@dataclass(frozen=True, kw_only=True)
class InterFaceGANOptions(ByScores):
    """Options of InterFaceGAN, by a scorer or by a table of scores."""

    method = "interfacegan"

    fit: Annotated[
        Fit | None, score_option(help="The linear model of the scores; ridge by default.", show_choices=True)
    ] = None
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

    def plan(self, begin: Begin) -> Plan:
        scorer = self.open_scorer(begin)
        from stylegan_latents.editing.discovery.scorers.table import ScoreTable

        if isinstance(scorer, ScoreTable):
            return self._plan_of_table(scorer)
        attributes = self.attributes(scorer)
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
        names = self.file_names(self.score or table.names)

        def make(G: "Generator") -> Finder:
            from stylegan_latents.editing.discovery.finders.scored_codes import ScoredCodes, read_scores

            layers = self._check(G)
            # Only the needed scores: rows may lack the others.
            samples = read_scores(table, G).select(tuple(dict.fromkeys((*names, *self.hold))))
            method = self.fit or Fit.RIDGE
            return ScoredCodes(G, samples, names, fixed=self.hold, layers=layers, method=method.value)

        return Plan(names, make, None)

    def _check(self, G: "Generator") -> str:
        """The layers; raises InputError for a model or layers that a fit on scores does not support."""
        from stylegan_latents.editing.discovery.fitting.linear import parse_groups

        layers = self.layers or "all"
        parse_groups(layers)
        self.check_model(G)
        return layers

    def _finder(
        self, G: "Generator", scorer: "Scorer", attributes: "list[Attribute]", begin: Begin
    ) -> "InterFaceGAN":
        from stylegan_latents.editing.discovery.finders.interfacegan import InterFaceGAN
        from stylegan_latents.editing.discovery.fitting.identity import IdentityScorer
        from stylegan_latents.editing.discovery.scorers.scorer import Scorers

        self._check(G)
        used = self.scorer_for(G, scorer, [attribute.name for attribute in attributes])
        identity = IdentityScorer() if self.hold_identity or self.least_identity_change else None
        both = Scorers((used, identity)) if identity is not None and self.least_identity_change else used
        samples = self.scored(G, both, begin)
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
