"""Constant perceptual speed: the same visible change from each frame to the next.

The perceptual length of a trajectory is the sum of the square roots of LPIPS between neighbours on a coarse set of
points: for small steps LPIPS grows with their square (Karras et al. 2019, section 4.1).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.editing.films.trajectories import StyleTrajectory, Trajectory
    from stylegan_latents.generator.generator import Generator, Noise

SIZE = 128
"""Side in pixels at which pictures are compared."""


class EvenSpeed:
    """Maps fractions of a trajectory's perceptual length to times.

    Args:
        times: float64 ``[P]``, ascending from 0 to 1.
        lengths: float64 ``[P - 1]``, perceptual lengths between neighbouring times; not negative.

    Raises:
        InputError: no picture differs from another.
        ValueError: a shape does not fit.
    """

    def __init__(self, times: "Tensor", lengths: "Tensor") -> None:
        import torch

        if len(times) != len(lengths) + 1 or len(times) < 2:
            raise ValueError("an even speed needs one length for each step between times")
        total = lengths.sum()
        if not bool(torch.isfinite(total)) or float(total) <= 0:
            raise InputError("All pictures of the film look the same, so that there is no speed to even out.")
        self.times = times
        self.lengths = lengths
        # One percent of plain time keeps the map strictly ascending where pictures do not change.
        share = 0.99 * lengths.cumsum(0) / total + 0.01 * times[1:]
        self.share = torch.cat([share.new_zeros(1), share])

    def __call__(self, shares: "Tensor") -> "Tensor":
        """The times ``[N]`` at which the trajectory has run these fractions ``[N]`` of its length."""
        import torch

        after = torch.searchsorted(self.share, shares.to(self.share)).clamp(1, len(self.share) - 1)
        low, high = self.share[after - 1], self.share[after]
        fraction = (shares.to(self.share) - low) / (high - low)
        return self.times[after - 1].lerp(self.times[after], fraction.clamp(0, 1))

    def shares_at(self, keys: int) -> "Tensor":
        """The fraction of the length up to each of ``keys`` keys at equal distances in time.

        Raises:
            ValueError: a key lies between two of the times.
        """
        if keys < 2 or (len(self.times) - 1) % (keys - 1):
            raise ValueError(f"{keys} keys do not lie on {len(self.times)} times")
        return self.share[:: (len(self.times) - 1) // (keys - 1)].contiguous()


def even_speed(
    G: "Generator",
    trajectory: "Trajectory",
    *,
    points: int = 33,
    styles: "StyleTrajectory | None" = None,
    noise: "Noise" = "const",
    distance: "Callable[[Tensor, Tensor], Tensor] | None" = None,
    on_point: Callable[[], None] | None = None,
) -> EvenSpeed:
    """Measure the perceptual length of a trajectory.

    Args:
        G: draws the pictures, at ``SIZE`` pixels at most.
        trajectory: gives the codes.
        points: number of points to measure at; more for a trajectory of many keys.
        styles: as in ``draw_frames``.
        noise: for ``Generator.synthesize``.
        distance: two images ``[1, 3, H, W]`` to a distance ``[1]`` that grows with the step's square; LPIPS (alex)
            when None.
        on_point: called after each point.

    Raises:
        InputError: LPIPS cannot be fetched, or no picture differs from another.
    """
    import torch

    from stylegan_latents.generator.perceptual import as_colour

    if distance is None:
        from stylegan_latents.invert.search.loss import LPIPS

        distance = LPIPS.load("alex").to(G.device)
    times = torch.linspace(0, 1, points, dtype=torch.float64)
    size = min(SIZE, G.resolution)
    lengths = []
    with torch.inference_mode():
        before: Tensor | None = None
        for time in times:
            ws = trajectory(time[None])
            drawn = G.styles(ws) if styles is None else styles(G, ws, float(time))
            image = as_colour(G.synthesize_styles(drawn, noise, size=size))
            if before is not None:
                lengths.append(float(distance(before, image).clamp_min(0).sqrt()))
            before = image
            if on_point is not None:
                on_point()
    return EvenSpeed(times, torch.tensor(lengths, dtype=torch.float64))
