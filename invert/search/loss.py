"""The loss of a search: perceptual and pixel distances between drawn images and their targets."""

import inspect
from typing import Protocol, Self

import torch
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.perceptual import LEAST_SIDE, LPIPS, Trunk, area_resize, resize_height
from stylegan_latents.invert.search.steps import OptimizerSettings

_GRID = 4  # pixels of a cell, at twice the compared side: the block size of the wavelet generators
_GRID_WINDOW = 16  # cells a side over which the mean is taken; a photo's own texture averages out


class IdentityLoss(Protocol):
    """Differentiable identity loss of N images."""

    def to(self, device: torch.device, dtype: torch.dtype) -> Self:
        """The same on a device, with convolutions in ``dtype``."""
        ...

    def __getitem__(self, image: int) -> Self:
        """The loss of one image alone."""
        ...

    def features(self, images: Tensor) -> Tensor:
        """Features of images ``[N, 3, H, H]`` in about [-1, 1], of any side, differentiable."""
        ...

    def distance(self, ours: Tensor, theirs: Tensor) -> Tensor:
        """The distance, ``[N]``, between two images' features."""
        ...


class Comparison:
    """LPIPS and the mean squared error at one resolution, and the squared error of finer detail.

    Args:
        images: the targets, ``[N, 3, H, H]`` in [-1, 1].
        size: the side at which they are compared. Smaller targets are compared at their own side, and the
            generator invents finer detail (super-resolution by inversion).
        fine_size: the side at which finer detail is compared, at most the drawn image's.
        lpips: on the device and in the precision of the search.
        pixel_weight, lpips_weight: of the mean squared error and of LPIPS at ``size``.
        detail_weight, grid_weight: of the squared error of what averaging to ``size`` removes, and of its
            ``grid_error``: a pixel grid shows on dark, even skin, where the squared error is small.
        centre_weight: of LPIPS of the picture's central half at twice ``size``, if both images are as fine: aligned
            faces lie there, and at ``size`` people are hard to tell apart.
        identity_loss, identity_weight: of the same targets, evaluated at ``size``.
        mask: ``[1 or N, 1, H, H]`` in 0 to 1, 0 where nothing is compared (inpainting by inversion).

    Raises:
        InputError: the mask has another shape, or leaves nothing to compare.
    """

    def __init__(
        self,
        images: Tensor,
        size: int,
        fine_size: int,
        lpips: LPIPS,
        *,
        pixel_weight: float,
        detail_weight: float,
        grid_weight: float = 0.0,
        lpips_weight: float = 1.0,
        centre_weight: float = 0.0,
        identity_loss: IdentityLoss | None = None,
        identity_weight: float = 0.0,
        mask: Tensor | None = None,
    ) -> None:
        device = lpips.shift.device
        images = images.to(device).float()
        side = images.shape[-2]
        self.size = min(size, side)
        self.fine_size = min(fine_size, side)
        # Only between these sides is averaging a projection.
        self.has_detail = bool(detail_weight) and side >= fine_size > size
        cell = _GRID * _GRID_WINDOW
        fits = self.fine_size % cell == 0 and images.shape[-1] * self.fine_size % (side * cell) == 0
        self.grid_weight = grid_weight if self.has_detail and fits else 0.0
        self.has_centre = bool(centre_weight) and self.size == size and self.fine_size >= 2 * size
        self.centre_weight = centre_weight
        self.identity_weight = identity_weight
        self.identity_loss = identity_loss if identity_weight else None
        if self.identity_loss is not None:
            self.identity_loss = self.identity_loss.to(device, lpips.conv0_weight.dtype)
        self.lpips = lpips
        self.weights = (lpips_weight, pixel_weight, detail_weight)
        self.mask: Tensor | None = None
        self.coverage: Tensor | float = 1.0
        fine_target = resize_height(images, self.fine_size)
        if mask is not None:
            check_mask(mask, images)
            self.mask = resize_height(mask.to(device).float(), self.fine_size)
            self.coverage = self.mask.mean(dim=(1, 2, 3))
            if float(self.coverage.min()) <= 0:
                raise InputError("The mask covers the whole picture; leave something to compare.")
            fine_target = fine_target * self.mask
        self.fine_target = fine_target
        self.target = resize_height(fine_target, self.size)
        with torch.no_grad():
            self.target_features = lpips.features(self._with_centres(self.target, fine_target))
            self.identity: Tensor | None = None
            self.last_distance: Tensor | None = None
            if self.identity_loss is not None:
                self.identity = self.identity_loss.features(self.target)

    def __getitem__(self, image: int) -> "Comparison":
        """The comparison of one image alone."""
        one, rows = object.__new__(Comparison), slice(image, image + 1)
        one.__dict__.update(self.__dict__)
        one.fine_target, one.target = self.fine_target[rows], self.target[rows]
        one.target_features = [tap[image :: len(self.target)] for tap in self.target_features]
        if self.identity_loss is not None and self.identity is not None:
            one.identity_loss, one.identity = self.identity_loss[image], self.identity[rows]
            one.last_distance = None
        if self.mask is not None and len(self.mask) > 1:
            one.mask, one.coverage = self.mask[rows], self.mask[rows].mean(dim=(1, 2, 3))
        return one

    def __call__(
        self, drawn: Tensor, identity_share: float = 1.0, *, update_identity: bool = True
    ) -> tuple[Tensor, Tensor]:
        """Compare drawn images with the targets.

        Args:
            drawn: ``[N, 3, S, S]`` in about [-1, 1], S not below ``fine_size``.
            identity_share: factor of ``identity_weight`` at this step.
            update_identity: evaluate the identity loss; otherwise add its last value without a gradient, so that
                losses stay comparable.

        Returns:
            The loss of each image, ``[N]``, and the images at ``size``, detached.
        """
        fine = whole = resize_height(drawn, self.fine_size)
        if self.mask is not None:
            # Both sides are zero where nothing is compared.
            fine = fine * self.mask
        coarse = resize_height(fine, self.size)
        lpips_weight, pixel_weight, detail_weight = self.weights
        features = self.lpips.features(self._with_centres(coarse, fine))
        distances = self.lpips.distance(features, self.target_features)
        losses = lpips_weight * distances[: len(coarse)]
        if self.has_centre:
            losses = losses + self.centre_weight * distances[len(coarse) :]
        coarse_error = (coarse - self.target).square().mean(dim=(1, 2, 3))
        losses = losses + pixel_weight * coarse_error
        if self.has_detail:
            # Averaging is a projection, so the error of the detail is the difference of the two errors.
            difference = fine - self.fine_target
            fine_error = difference.square().mean(dim=(1, 2, 3))
            losses = losses + detail_weight * (fine_error - coarse_error)
            if self.grid_weight:
                losses = losses + self.grid_weight * grid_error(difference)
        if self.identity_loss is not None and self.identity is not None:
            other = self.last_distance
            if update_identity or other is None:
                other = self.identity_loss.distance(self.identity_loss.features(coarse), self.identity)
                self.last_distance = other.detach()
            losses = losses + identity_share * self.identity_weight * other
        shown = coarse if self.mask is None else resize_height(whole, self.size)
        return losses / self.coverage, shown.detach()

    def _with_centres(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """The input of LPIPS in one batch: the images, then their centres if those have a weight."""
        if self.has_centre:
            twice = resize_height(fine, 2 * self.size)
            height, width = coarse.shape[-2:]
            centre = twice[:, :, height // 2 : height // 2 + height, width // 2 : width // 2 + width]
            coarse = torch.cat([coarse, centre])
        height, width = coarse.shape[-2:]
        if min(height, width) >= LEAST_SIDE:
            return coarse
        return resize_height(coarse, max(LEAST_SIDE, -(-LEAST_SIDE * height // width)))


def comparison_for(
    G: Generator, images: Tensor, settings: OptimizerSettings, fine_size: int, *,
    identity_loss: IdentityLoss | None = None, mask: Tensor | None = None,
) -> Comparison:  # fmt: skip
    """The ``Comparison`` of a search with these settings, on the generator's device."""
    lpips = LPIPS.load("alex").to(G.device).in_precision(settings.dtype)
    return Comparison(
        images,
        settings.search_size,
        fine_size,
        lpips,
        identity_loss=identity_loss,
        mask=mask,
        **loss_weights(settings),
    )


def loss_weights(settings: object) -> dict[str, float]:
    """The fields of settings that are ``..._weight`` arguments of ``Comparison``, by name."""
    names = (name for name in inspect.signature(Comparison).parameters if name.endswith("_weight"))
    return {name: getattr(settings, name) for name in names if hasattr(settings, name)}


def grid_error(difference: Tensor) -> Tensor:
    """The part of a difference of images that repeats with the pixel grid.

    Args:
        difference: ``[N, C, H, H]``, H a multiple of 64; its mean channel counts.

    Returns:
        ``[N]``. In each window of 64 pixels the cells of 4x4 pixels are averaged; the variance of that mean cell,
        averaged over windows.
    """
    grey = difference.mean(dim=1)
    n, height, width = grey.shape
    down, across = height // (_GRID * _GRID_WINDOW), width // (_GRID * _GRID_WINDOW)
    rows = grey.reshape(n, down, _GRID_WINDOW, _GRID, width).mean(dim=2)
    cells = rows.reshape(n, down, _GRID, across, _GRID_WINDOW, _GRID).mean(dim=4)
    return (cells - cells.mean(dim=(2, 4), keepdim=True)).square().mean(dim=(1, 2, 3, 4))


def check_images(images: Tensor, aspect: float = 1.0) -> None:
    """Raise InputError for images that are not ``[N, 3, H, aspect * H]``."""
    fits = images.ndim == 4 and images.shape[1] == 3 and len(images) > 0
    if not fits or images.shape[2] * aspect != images.shape[3]:
        wide = "H" if aspect == 1 else f"{aspect:g} H"
        raise InputError(f"Images need the shape [N, 3, H, {wide}], got {list(images.shape)}.")


def check_mask(mask: Tensor, images: Tensor) -> None:
    """Raise InputError for a mask that is not ``[1 or N, 1, H, W]`` in 0 to 1, for images ``[N, 3, H, W]``."""
    if mask.ndim != 4 or mask.shape[1:] != (1, *images.shape[2:]) or len(mask) not in (1, len(images)):
        height, width = images.shape[2:]
        raise InputError(
            f"A mask for these images needs the shape [1 or {len(images)}, 1, {height}, {width}], got "
            f"{list(mask.shape)}."
        )
    if not (bool(torch.isfinite(mask).all()) and float(mask.min()) >= 0 and float(mask.max()) <= 1):
        raise InputError("A mask's values are from 0 to 1.")


__all__ = ["LPIPS", "Trunk", "area_resize", "resize_height"]
