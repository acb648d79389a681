"""The search for the camera of images, together with their codes, for a three-dimensional model."""

from collections.abc import Callable

import torch
from torch import Tensor

from stylegan_latents.generator.generator import Generator

# Degrees of the views that the search may start from.
_YAWS, _PITCHES = (-30.0, -15.0, 0.0, 15.0, 30.0), (-12.0, 0.0, 12.0)
# Where photos of faces end, so that a search that goes astray does not end behind the head.
_MOST = (75.0, 45.0, 45.0)


class CameraSearch:
    """Yaw, pitch and roll of N images, found by Adam beside the search for their codes.

    Args:
        G: the generator, which has a camera.
        ws: ``[N, num_ws, w_dim]``, the codes that the search starts from.
        compare: drawn images ``[N, C, h, w]`` to the loss of each, ``[N]``.
        size: side of the drawn images.
        rate: degrees of a step; 0 keeps the generator's own camera.

    Attributes:
        best: ``[N, 3]`` in degrees, the angles of the lowest loss, as ``keep`` was told.
    """

    def __init__(
        self, G: Generator, ws: Tensor, compare: Callable[[Tensor], Tensor], *, size: int, rate: float
    ) -> None:
        self.G, self.rate = G, rate
        camera = G.camera
        assert camera is not None  # the caller has looked
        own = torch.tensor([[camera.yaw, camera.pitch, camera.roll]], device=G.device).repeat(len(ws), 1)
        self._most = own.new_tensor(_MOST)
        self._compare, self._size = compare, size
        self.best, self.angles = own, own.clone().requires_grad_(rate > 0)
        self._adam = torch.optim.Adam([self.angles], lr=rate, betas=(0.9, 0.99)) if rate else None
        self.look_around(ws)

    @torch.no_grad()
    def look_around(self, ws: Tensor) -> None:
        """Go on from the view, of the present one and a few around the front, that is nearest to each image.

        A camera that is on the wrong side of a head seldom comes round by its gradient.
        """
        if self._adam is None:
            return
        views = [self.angles.new_tensor([yaw, pitch, 0.0]) for yaw in _YAWS for pitch in _PITCHES]
        lowest = torch.full((len(ws),), float("inf"), device=ws.device)
        nearest = self.angles.detach().clone()
        for angles in (nearest.clone(), *(view.expand_as(nearest) for view in views)):
            loss = self._compare(self.G.synthesize(ws, size=self._size, camera=self.matrices(angles)))
            nearest = torch.where((loss < lowest)[:, None], angles, nearest)
            lowest = torch.minimum(loss, lowest)
        self.angles.copy_(nearest)

    def matrices(self, angles: Tensor | None = None) -> Tensor:
        """The cameras' matrices ``[N, 25]``, by default of the current angles, differentiable."""
        return self.G.synthesis.camera_matrices(self.angles if angles is None else angles)

    def keep(self, better: Tensor) -> None:
        """Keep the current angles of the images where ``better``, bool ``[N]``, as the best."""
        self.best = torch.where(better[:, None], self.angles.detach(), self.best)

    def step(self, factor: float) -> None:
        """One step of Adam along the gradient that ``backward`` left, with ``factor`` times the rate."""
        if self._adam is None:
            return
        self._adam.param_groups[0]["lr"] = self.rate * factor
        self._adam.step()
        self._adam.zero_grad()
        with torch.no_grad():
            self.angles.clamp_(-self._most, self._most)
