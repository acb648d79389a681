"""The contract of all inverters, and what they share."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.invert.inverters.options import InverterOptions, Space
from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.record.run_settings import diverged_settings
from stylegan_latents.invert.search.loss import IdentityLoss
from stylegan_latents.invert.search.steps import OptimizerSettings

if TYPE_CHECKING:
    from PIL import Image

    from stylegan_latents.invert.faces.detector import Face
    from stylegan_latents.invert.photos.crop import Alignment

STOPPED = "stopped_at_step"
"""The setting of a record that says at which step Ctrl-C ended the search."""


@dataclass(frozen=True)
class Progress:
    """The state of a search after a step.

    Attributes:
        step, steps: how many steps are done, of how many.
        loss: the mean over the images of what is being minimised.
        images: ``[N, 3, h, w]`` in about [-1, 1], what the generator draws of the codes now, detached.
    """

    step: int
    steps: int
    loss: float
    images: Tensor


@dataclass(frozen=True, kw_only=True)
class SearchSettings(OptimizerSettings):
    """Settings of a search in W or W+: those of ``OptimizerSettings``, and more.

    Attributes:
        space: ``w``, one code for all layers; ``w+``, a code for each layer. A search in W+ starts in W; the layers
            that draw finer than what is compared keep the code found there.
        learning_rate: in standard deviations of W.
        momentum: the decay of Adam's first moment, from 0 to below 1; None for the inverter's own.
        w_fraction: the part of the steps of a search in W+ that is spent in W, from 0 to 1.
        detail_weight: weight of the squared error of what is finer than ``search_size``, at twice that side.
            Without it the search finds textures that are right on average only: dots on lips, a grid on skin.
        grid_weight: weight of the squared error of what repeats with the pixel grid, at twice ``search_size``: the
            network's own blocks, which LPIPS takes for texture.
        centre_weight: weight of LPIPS of the picture's centre, half as wide, at twice ``search_size``, where
            aligned pictures show the face.
        identity_weight: weight of the identity loss, where one is given to ``invert``; it follows the schedule of
            the learning rate.
        prior_weight: weight of the mean squared coordinate in whitened W, which draws codes to W's mean.
        start_weight: weight of the mean squared distance from the start of the search, in standard deviations of
            W; it draws codes to those of an encoder. At 0.01 LPIPS is 6 % higher, and edits are no better.
        seed: of the samples that W's statistics are computed from. The search itself is not random.

    Raises:
        InputError: a value is out of its range.
    """

    name: ClassVar[str] = "A search"

    space: Space = "w+"
    learning_rate: float = 0.22
    momentum: float | None = None
    w_fraction: float = 0.2
    detail_weight: float = 1.0
    grid_weight: float = 100.0
    centre_weight: float = 0.2
    identity_weight: float = 0.02
    prior_weight: float = 0.0
    start_weight: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.space not in ("w", "w+"):
            raise InputError(f"The space is w or w+, not {self.space}.")
        super().__post_init__()
        if not 0 <= self.w_fraction <= 1:
            raise InputError(f"The fraction of the steps in W is from 0 to 1, not {self.w_fraction}.")
        if self.momentum is not None and not 0 <= self.momentum < 1:
            raise InputError(f"The momentum is from 0 to below 1, not {self.momentum}.")


class Inverter(ABC):
    """Finds the latent codes of images.

    Attributes:
        method: its name in ``INVERTERS`` and in records.
        G: the generator; it is left as it is.
        steps: how many steps ``on_step`` counts, those of a pivot not among them.
    """

    method: ClassVar[str]
    G: Generator
    steps: int

    @classmethod
    @abstractmethod
    def from_options(cls, G: Generator, options: InverterOptions, pivot: "Inverter | None") -> Self:
        """Make one from what a user asks for.

        Args:
            G: the generator.
            options: with the number of steps that the quality means filled in.
            pivot: the inverter that ``options.pivot`` names, for one that refines codes; otherwise None.

        Raises:
            InputError: an option is out of its range, or does not fit the generator.
        """

    @abstractmethod
    def invert(
        self,
        images: Tensor,
        *,
        on_step: Callable[[Progress], None] | None = None,
        keep_partial: bool = False,
        mask: Tensor | None = None,
        identity_loss: IdentityLoss | None = None,
        start: Tensor | None = None,
    ) -> Inversion:
        """Find the codes of N images, all at once; they don't influence one another.

        Args:
            images: ``[N, 3, H, H]`` in [-1, 1], aligned as the generator's training images were. Images smaller
                than the search compares at are compared at their own side.
            on_step: called after each step.
            keep_partial: on Ctrl-C, return the best found so far in place of raising KeyboardInterrupt.
            mask: ``[1 or N, 1, H, H]``, 1 where images are compared, 0 where the generator fills in.
            identity_loss: differentiable identity loss of the N images, such as ``FaceIdentity``; None for none.
            start: ``[N, num_ws, w_dim]``, codes to start from in place of W's mean or an encoder's codes. A search
                in W+ then has no part in W; one in W starts from the mean of the rows.

        Returns:
            The record. Its ``settings`` have ``stopped_at_step`` if Ctrl-C ended the search, and its ``diverged``
            names the images whose loss was not finite any more, of which the best code from before is kept.

        Raises:
            InputError: the images, the mask or the start have another shape, the inverter has no use for one of
                the arguments, or the loss is not finite from the first step.
        """

    @abstractmethod
    def settings(self) -> dict[str, JSON]:
        """Every setting, as records keep it."""

    @property
    def uses_identity(self) -> bool:
        """Whether ``invert`` gives an identity loss any weight."""
        return False

    @property
    def takes_mask(self) -> bool:
        """Whether ``invert`` takes a mask."""
        return True

    def described(self) -> dict[str, JSON]:
        """The method and its settings, as records of inverters that go on from this one keep them."""
        return {"method": self.method, **self.settings()}

    def record(
        self,
        ws: Tensor,
        *,
        stopped_at: JSON = None,
        diverged: Mapping[int, int] | None = None,
        noise: list[Tensor] | None = None,
        weights: dict[str, Tensor] | None = None,
    ) -> Inversion:
        """The record of codes that this inverter found.

        Args:
            ws: ``[N, num_ws, w_dim]``.
            stopped_at: the step at which Ctrl-C ended the search; None if it ran through.
            diverged: the images that diverged, each with the step.
            noise, weights: as ``Inversion`` has them.
        """
        ended: dict[str, JSON] = {} if stopped_at is None else {STOPPED: stopped_at}
        return Inversion(
            ws=ws,
            model=self.G.name,
            fingerprint=self.G.fingerprint,
            latent_space=self.G.latent_space,
            method=self.method,
            settings=self.settings() | ended | diverged_settings(diverged or {}, len(ws)),
            noise=noise,
            weights=weights,
        )


class RefiningInverter(Inverter):
    """An inverter that goes on from the codes of another, its pivot, which do not move.

    Attributes:
        pivot: the inverter that finds the codes.
        pivot_settings: its method and all its settings.
    """

    pivot: Inverter

    @property
    def pivot_settings(self) -> dict[str, JSON]:
        return self.pivot.described()

    @property
    def uses_identity(self) -> bool:
        return self.pivot.uses_identity

    @property
    def takes_mask(self) -> bool:
        return self.pivot.takes_mask

    def find_pivot(
        self, images: Tensor, steps: int, on_step: Callable[[Progress], None] | None, **arguments: Any
    ) -> Inversion:
        """The pivot's record of the images, with its steps counted as the first of ``steps``.

        Args:
            images: as for ``invert``.
            steps: of the pivot and of what follows together.
            on_step: as for ``invert``.
            arguments: the others of ``invert``, for the pivot.
        """

        def on_pivot(progress: Progress) -> None:
            if on_step is not None:
                on_step(Progress(progress.step, steps, progress.loss, progress.images))

        return self.pivot.invert(images, on_step=on_pivot, **arguments)

    @staticmethod
    def check_pivot(found: Inversion) -> None:
        """Refuse codes that were found together with weights, which what follows would leave out.

        Raises:
            InputError: the record has tuned weights.
        """
        if found.weights is not None:
            raise InputError(
                f"The pivot's method is {found.method}, which tunes weights; take a search or an encoder."
            )


def identity_loss_for(
    inverter: Inverter, faces: "Sequence[Face | None]", alignments: "Sequence[Alignment]"
) -> IdentityLoss | None:
    """The identity loss of aligned crops, for ``invert``.

    Args:
        inverter: the one that it is for.
        faces: of each crop, as found in its photo; None for one that shows no face.
        alignments: where the crops lie in their photos, all of one size.

    Returns:
        None where the inverter gives it no weight or no crop shows a face.

    Raises:
        InputError: the recognition network cannot be fetched.
    """
    if not inverter.uses_identity or not any(face is not None for face in faces):
        return None
    from stylegan_latents.invert.search.identity_loss import FaceIdentity

    placed = zip(faces, alignments, strict=True)
    landmarks = [None if face is None else face.landmarks.mapped(alignment.into_crop) for face, alignment in placed]
    return FaceIdentity.of_landmarks(landmarks, alignments[0].size)


def identity_loss_of(inverter: Inverter, crop: "Image.Image") -> IdentityLoss | None:
    """As ``identity_loss_for``, for one aligned crop in which the face is still to be found."""
    if not inverter.uses_identity:
        return None
    from stylegan_latents.invert.faces.find import find_faces
    from stylegan_latents.invert.search.identity_loss import FaceIdentity

    faces = find_faces(crop)
    return FaceIdentity.of_landmarks([faces[0].landmarks if faces else None], crop.width)
