"""What ``edit discover`` can be asked for, and what of that can be refused before a model is loaded."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from stylegan_latents.editing.discovery.scorers.by_name import Scored, open_scores
from stylegan_latents.generator.cli.progress import Begin
from stylegan_latents.generator.errors import InputError

COUNT = 10
"""How many directions a method finds that finds several."""


class Method(StrEnum):
    """The finders."""

    SEFA = "sefa"
    GANSPACE = "ganspace"
    STYLESPACE = "stylespace"
    EXAMPLES = "examples"
    INTERFACEGAN = "interfacegan"
    LOWRANK = "lowrank"
    TEXT = "text"


class Fit(StrEnum):
    """The linear models of InterFaceGAN."""

    RIDGE = "ridge"
    SVM = "svm"
    LOGISTIC = "logistic"


class Local(StrEnum):
    """How a direction for a place spares the rest; see ``LowRank``."""

    RATIO = "ratio"
    NULL_SPACE = "null-space"


@dataclass(frozen=True)
class Wish:
    """What the user asked for; see the options of ``edit discover``."""

    method: Method
    count: int | None = None
    layers: str | None = None
    samples: int | None = None
    seed: int = 0
    before: Path | None = None
    after: Path | None = None
    places: tuple[str, ...] = ()
    name: str | None = None
    together: bool = False
    scorer: str | None = None
    scores: tuple[str, ...] = ()
    hold: tuple[str, ...] = ()
    fit: Fit | None = None
    text: str | None = None
    neutral: str | None = None
    weights: str | None = None
    table: Path | None = None
    threshold: float | None = None
    local: Local | None = None

    @property
    def stem(self) -> str:
        """What the sheet is called, and a direction of which there is one alone."""
        return self.name or self.method.value

    @property
    def directions(self) -> int:
        """How many directions, or style channels of one, a method looks for that finds several."""
        return COUNT if self.count is None else self.count

    def check(self) -> None:
        """Refuse, before a model is loaded, what a method cannot do.

        Raises:
            InputError: an option is missing, or is for another method.
        """
        from stylegan_latents.editing.regions.regions import check_regions

        method, pair = self.method, self.before is not None and self.after is not None
        if (self.before is None) != (self.after is None):
            raise InputError("--before and --after go together: give a folder of records for each.")
        if method is Method.EXAMPLES and not pair:
            raise InputError("--method examples needs two folders of records: --before FOLDER --after FOLDER.")
        if method is Method.STYLESPACE and pair == bool(self.places):
            raise InputError(
                "--method stylespace needs either --mask, a picture or a name such as mouth, or "
                "--before FOLDER --after FOLDER."
            )
        if method is Method.INTERFACEGAN and self.scorer is None:
            raise InputError(
                "--method interfacegan needs --scorer: faces, colour, an .onnx or TorchScript file, a .csv of "
                "scores, or a folder with a folder of pictures for each label."
            )
        if method is Method.TEXT and not (
            self.text and self.text.strip() and self.neutral and self.neutral.strip()
        ):
            raise InputError("--method text needs --text and --neutral, such as 'a smiling face' and 'a face'.")
        for option, given in self._foreign(pair).items():
            if given:
                raise InputError(f"--method {method.value} does not take {option}; leave it out.")
        self._check_parts(pair)
        check_regions(self.places)
        for name in (self.name, *self.scores):
            if name is not None and not is_file_name(name):
                raise InputError(f"'{name}' cannot be a file's name; use letters, such as smile.")

    def _foreign(self, pair: bool) -> dict[str, bool]:
        """The options that are given and that the method does not take."""
        method, texts = self.method, self.text is not None or self.neutral is not None or self.weights is not None
        one = method in (Method.EXAMPLES, Method.TEXT, Method.INTERFACEGAN)
        return {
            "--text": texts and method is not Method.TEXT,
            "--table": self.table is not None and method is not Method.TEXT,
            "--threshold": self.threshold is not None and method is not Method.TEXT,
            "--mask": bool(self.places) and method not in (Method.STYLESPACE, Method.LOWRANK),
            "--local": self.local is not None and method is not Method.LOWRANK,
            "--before": pair and method not in (Method.STYLESPACE, Method.EXAMPLES),
            "--together": self.together and method is not Method.STYLESPACE,
            "--scorer": self.scorer is not None and method is not Method.INTERFACEGAN,
            "--score": bool(self.scores or self.hold) and method is not Method.INTERFACEGAN,
            "--fit": self.fit is not None and method is not Method.INTERFACEGAN,
            "--name": self.name is not None
            and method not in (Method.EXAMPLES, Method.TEXT)
            and not (method is Method.STYLESPACE and self.together),
            "--count": self.count is not None and one,
            "--samples": self.samples is not None and method in (Method.SEFA, Method.EXAMPLES),
        }

    def _check_parts(self, pair: bool) -> None:
        """Refuse options that another one leaves without a meaning."""
        if self.threshold is not None and self.table is None:
            raise InputError("--threshold is for a --table; without one the most relevant style channels move.")
        if self.threshold is not None and not 0 < self.threshold < 1:
            raise InputError(f"--threshold is a relevance between 0 and 1, such as 0.1, not {self.threshold:g}.")
        if self.local is not None and not self.places:
            raise InputError("--local is how the rest of the picture is spared; give the place with --mask, too.")
        looks = "" if self.samples is None else "--samples"
        if looks and (pair or self.table is not None):
            raise InputError(f"{looks} has no meaning here, as no samples are looked at; leave it out.")
        if looks and self.scorer is not None and self.scorer.endswith(".csv"):
            raise InputError(f"{looks} has no meaning for a table, all of which is used; leave it out.")


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
    if wish.method in (Method.EXAMPLES, Method.TEXT) or wish.together:
        return [wish.stem]
    if wish.method is not Method.INTERFACEGAN or scored is None:
        return [f"{wish.method.value}-{index:02d}" for index in range(wish.directions)]
    if wish.scores:
        return list(dict.fromkeys(wish.scores))
    if wish.scorer == "faces":
        from stylegan_latents.editing.discovery.fitting.attributes import FACE_ATTRIBUTES

        return [attribute.name for attribute in FACE_ATTRIBUTES]
    names = [name for name in scored.names if name not in _mirrored(scored)]
    _check_file_names(names, wish.scorer)
    return names


def say_mirrored(wish: Wish, scored: Scored | None) -> list[str]:
    """A sentence for each score that gets no direction unless it is named, as another one's serves it, too."""
    if scored is None or wish.scores:
        return []
    return [
        f"With two classes one direction serves both: a negative strength of '{found}' leads to '{other}'."
        for other, found in _mirrored(scored).items()
    ]


def _mirrored(scored: Scored) -> dict[str, str]:
    """The first of two classes of which a picture has one, with the second, after which the score is named."""
    from stylegan_latents.editing.discovery.scorers.exclusive import exclusive_groups

    return {group[0]: group[1] for group in exclusive_groups(scored.scorer) if len(group) == 2}


def _check_file_names(names: Sequence[str], scorer: str | None) -> None:
    for name in names:
        if not is_file_name(name):
            raise InputError(f"The score '{name}' cannot be a file's name; give it another in {scorer}.")


def is_file_name(name: str) -> bool:
    """Whether a file can have this name on every system."""
    return bool(name) and not set(name) & set('/\\:*?"<>|') and name not in (".", "..") and name.isprintable()
