"""The interface of all inverters, and what they share."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.invert.inverters.options import InverterOptions, Space
from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.record.run_settings import camera_settings, diverged_settings
from stylegan_latents.invert.search.loss import IdentityLoss
from stylegan_latents.invert.search.steps import OptimizerSettings
from stylegan_latents.invert.search.time_left import Phase

if TYPE_CHECKING:
    from PIL import Image

    from stylegan_latents.invert.faces.detector import Face
    from stylegan_latents.invert.photos.crop import Alignment

_FASTEST_CAMERA = 45
_FEW_STEPS = 40

STOPPED = "stopped_at_step"
"""The setting of a record that says at which step Ctrl-C ended the search."""


@dataclass(frozen=True)
class Progress:
    """The state of a search after a step.

    Attributes:
        step, steps: the number of steps done, and of all steps.
        loss: the mean over the images.
        images: ``[N, 3, h, w]`` in about [-1, 1], the generator's pictures of the current codes, detached.
    """

    step: int
    steps: int
    loss: float
    images: Tensor


OnStep = Callable[[Progress], None]


@dataclass(frozen=True, kw_only=True)
class SearchSettings(OptimizerSettings):
    """Settings of a search in W or W+: those of ``OptimizerSettings``, and more.

    Images smaller than ``search_size`` do not show much of what a code draws. Their search takes steps of 0.35 of
    the learning rate, with a ``start_weight`` of 0.02 at least.

    Attributes:
        space: ``w``, one code for all layers; ``w+``, a code for each layer. A search in W+ starts in W.
        learning_rate: in standard deviations of W; None for 0.5, or for 0.6 in a search of at most 40 steps.
        momentum: the decay of Adam's first moment, in [0, 1); None for 0.8, or for 0.7 in a search of at most 40
            steps.
        w_fraction: the fraction of the steps of a search in W+ that is spent in W, in [0, 1].
        detail_weight: of the squared error of detail finer than ``search_size``, at twice that side. Without it
            textures are right on average only: dots on lips, a grid on skin.
        grid_weight: of ``grid_error``, at twice ``search_size``: the network's blocks, which LPIPS takes for
            texture.
        centre_weight: of LPIPS of the picture's central half, where aligned crops show the face, at twice
            ``search_size``.
        identity_weight: of the identity loss that ``invert`` is given; it follows the learning rate's schedule.
        prior_weight: of the mean squared coordinate in whitened W, which draws codes to W's mean; None for 0.01, or
            for 0 for models with a camera, as the camera would be turned to make up for it.
        camera_rate: degrees of a step of a three-dimensional model's camera, which is searched together with the
            code; 0 keeps the model's.
        sketch_fraction: the fraction of the steps, the first ones, that are drawn by ``Generator.sketch`` and
            compared at ``search_size`` alone, in [0, 1]. For the default model such a step takes 0.6 of the time.
            Three-dimensional models have none.
        start_weight: of the mean squared distance from the start of the search, in standard deviations of W. At
            0.01 LPIPS is 6 % higher, and edits are no better.
        seed: of the samples for W's statistics. The search itself is not random.

    Raises:
        InputError: a value is out of its range.
    """

    name: ClassVar[str] = "A search"

    space: Space = "w+"
    learning_rate: float | None = None
    momentum: float | None = None
    w_fraction: float = 0.2
    sketch_fraction: float = 0.0
    detail_weight: float = 1.0
    grid_weight: float = 100.0
    centre_weight: float = 0.2
    identity_weight: float = 0.02
    prior_weight: float | None = None
    start_weight: float = 0.0
    camera_rate: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.space not in ("w", "w+"):
            raise InputError(f"The space is w or w+, not {self.space}.")
        super().__post_init__()
        if not 0 <= self.w_fraction <= 1:
            raise InputError(f"The fraction of steps in W is from 0 to 1, not {self.w_fraction}.")
        if not 0 <= self.sketch_fraction <= 1:
            raise InputError(f"The fraction of steps in sketches is from 0 to 1, not {self.sketch_fraction}.")
        if not 0 <= self.camera_rate <= _FASTEST_CAMERA:
            raise InputError(f"The camera's rate is from 0 to {_FASTEST_CAMERA} degrees, not {self.camera_rate}.")
        if self.momentum is not None and not 0 <= self.momentum < 1:
            raise InputError(f"The momentum is from 0 to below 1, not {self.momentum}.")

    def for_generator(self, G: "Generator") -> Self:
        own = super().for_generator(G)
        prior = 0.0 if G.camera is not None else 0.01
        # What a long memory gathers comes too late in a short search.
        rate, momentum = (0.6, 0.7) if own.steps is not None and own.steps <= _FEW_STEPS else (0.5, 0.8)
        return replace(
            own,
            learning_rate=rate if own.learning_rate is None else own.learning_rate,
            momentum=momentum if own.momentum is None else own.momentum,
            prior_weight=prior if own.prior_weight is None else own.prior_weight,
        )


class Inverter(ABC):
    """Finds the latent codes of images.

    Attributes:
        method: its name in ``INVERTERS`` and in records.
        G: the generator, which is not changed.
        steps: the number of steps, without those of a pivot.
    """

    method: ClassVar[str]
    G: Generator
    steps: int

    @classmethod
    @abstractmethod
    def from_options(cls, G: Generator, options: InverterOptions, pivot: "Inverter | None") -> Self:
        """Make one from a user's options.

        Args:
            G: the generator.
            options: with the quality's number of steps filled in.
            pivot: the inverter that ``options.pivot`` names, for one that refines its codes; otherwise None.

        Raises:
            InputError: an option is out of its range, or does not fit the generator.
        """

    @abstractmethod
    def invert(
        self, images: Tensor, *, on_step: OnStep | None = None, keep_partial: bool = False,
        mask: Tensor | None = None, identity_loss: IdentityLoss | None = None, start: Tensor | None = None,
    ) -> Inversion:  # fmt: skip
        """Find the codes of N images at once, independently of one another.

        Args:
            images: ``[N, 3, H, H]`` in [-1, 1], aligned as the generator's training images. Images smaller than
                ``search_size`` are compared at their own side.
            on_step: called after each step.
            keep_partial: on Ctrl-C, return the best result so far instead of raising KeyboardInterrupt.
            mask: ``[1 or N, 1, H, H]``, 1 where images are compared, 0 where the generator fills in.
            identity_loss: differentiable identity loss of the N images, such as ``FaceIdentity``.
            start: ``[N, num_ws, w_dim]``, codes to start from instead of W's mean or an encoder's codes. A search
                in W+ then has no part in W; one in W starts from the mean of the rows.

        Returns:
            The record. Its ``settings`` have ``stopped_at_step`` if Ctrl-C ended the search; its ``diverged`` lists
            the images whose loss became infinite or NaN, of which the best code before is kept.

        Raises:
            InputError: images, mask or start have another shape, the inverter does not take one of the arguments,
                or the loss is not finite from the first step.
        """

    @abstractmethod
    def settings(self) -> dict[str, JSON]:
        """Every setting, as records keep it."""

    def defaults(self) -> dict[str, JSON]:
        """What settings count as that a record of an earlier version lacks; those not named count as equal."""
        return {}

    @property
    def uses_identity(self) -> bool:
        """Whether the weight of the identity loss is above 0."""
        return False

    @property
    def takes_mask(self) -> bool:
        """Whether ``invert`` takes a mask."""
        return True

    def phases(self, count: int) -> list[Phase]:  # noqa: ARG002
        """The steps of a call with ``count`` images and their durations in steps of a search, for ``TimeLeft``."""
        return [(self.steps, 1.0)]

    def described(self) -> dict[str, JSON]:
        """The method and its settings, as records of refining inverters keep them."""
        return {"method": self.method, **self.settings()}

    def record(
        self,
        ws: Tensor,
        *,
        stopped_at: JSON = None,
        diverged: Mapping[int, int] | None = None,
        noise: list[Tensor] | None = None,
        weights: dict[str, Tensor] | None = None,
        cameras: Sequence[Sequence[float]] | None = None,
    ) -> Inversion:
        """The record of codes that this inverter found.

        Args:
            ws: ``[N, num_ws, w_dim]``.
            stopped_at: the step at which Ctrl-C ended the search.
            diverged: the images that diverged, each with the step.
            noise, weights: as in ``Inversion``.
            cameras: yaw, pitch and roll in degrees for each image; None for a model without a camera.
        """
        ended: dict[str, JSON] = {} if stopped_at is None else {STOPPED: stopped_at}
        ended |= {} if cameras is None else camera_settings(cameras)
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
    """An inverter that keeps the codes of another, its ``pivot``, and optimises something else at them."""

    pivot: Inverter
    step_cost: ClassVar[float]
    """The duration of one of its own steps in steps of a search, for the default model."""

    def phases(self, count: int) -> list[Phase]:
        return [*self.pivot.phases(count), (self.steps, self.step_cost)]

    @property
    def pivot_settings(self) -> dict[str, JSON]:
        """The pivot's method and all its settings."""
        return self.pivot.described()

    @property
    def uses_identity(self) -> bool:
        return self.pivot.uses_identity

    @property
    def takes_mask(self) -> bool:
        return self.pivot.takes_mask

    def find_pivot(self, images: Tensor, steps: int, on_step: OnStep | None, **arguments: Any) -> Inversion:
        """The pivot's record, with ``arguments`` of ``invert``; its steps count as the first of ``steps``."""

        def on_pivot(progress: Progress) -> None:
            if on_step is not None:
                on_step(Progress(progress.step, steps, progress.loss, progress.images))

        return self.pivot.invert(images, on_step=on_pivot, **arguments)

    @staticmethod
    def check_pivot(found: Inversion) -> None:
        """Raise InputError for codes that were found together with tuned weights, which would be lost."""
        if found.weights is not None:
            raise InputError(
                f"The pivot's method is {found.method}, which tunes weights; take a search or an encoder."
            )


def identity_loss_for(
    inverter: Inverter, faces: "Sequence[Face | None]", alignments: "Sequence[Alignment]"
) -> IdentityLoss | None:
    """The identity loss of aligned crops, for ``inverter.invert``.

    Args:
        inverter: which uses it.
        faces: of each crop, as found in its photo; None for a crop without a face.
        alignments: of the crops, all of one size.

    Returns:
        None where the inverter does not use it or no crop shows a face.

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
    """``identity_loss_for`` of one aligned crop, in which the face is detected."""
    if not inverter.uses_identity:
        return None
    from stylegan_latents.invert.faces.find import find_faces
    from stylegan_latents.invert.search.identity_loss import FaceIdentity

    faces = find_faces(crop)
    return FaceIdentity.of_landmarks([faces[0].landmarks if faces else None], crop.width)
