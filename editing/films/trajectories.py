"""Trajectories through a latent space: between key codes, along a direction, or towards the mean.

A trajectory is a function from times ``[N]`` in [0, 1] to ws ``[N, num_ws, w_dim]``.
"""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.editing.directions.direction import Direction
    from stylegan_latents.generator.generator import Generator

Trajectory: TypeAlias = "Callable[[Tensor], Tensor]"
"""Times ``[N]`` in [0, 1] to ws ``[N, num_ws, w_dim]``; the key codes are reached at equal distances in time."""

StyleTrajectory: TypeAlias = "Callable[[Generator, Tensor, float], list[Tensor]]"
"""A generator, ws ``[1, num_ws, w_dim]`` of a ``Trajectory`` and their time to styles."""

Curve = Literal["linear", "spline", "slerp"]
Easing = Literal["linear", "smooth"]
LONGEST = 100_000
"""Maximum number of frames of a film."""


def still(ws: "Tensor") -> Trajectory:
    """The constant trajectory at a code ``[1, num_ws, w_dim]``, for sweeps."""
    return lambda times: ws.expand(len(times), -1, -1).clone()


def linear(keys: "Tensor", *, loop: bool = False) -> Trajectory:
    """Straight lines in W or W+ between key codes.

    Args:
        keys: ws ``[K, num_ws, w_dim]``, at least two.
        loop: continue from the last key to the first, which is reached again at time 1.

    Raises:
        InputError: there are fewer than two.
    """
    closed = _closed(keys, loop)

    def trajectory(times: "Tensor") -> "Tensor":
        first, fraction = _segment(times, closed)
        return closed[first].lerp(closed[first + 1], fraction[:, None, None])

    return trajectory


def spline(keys: "Tensor", *, loop: bool = False) -> Trajectory:
    """A cubic spline through key codes (not-a-knot at the ends, periodic for a loop).

    Arguments and errors are those of ``linear``.
    """
    import torch
    from scipy.interpolate import CubicSpline

    closed = _closed(keys, loop)
    values = closed.detach().cpu().double().numpy()
    curve = CubicSpline(range(len(closed)), values, bc_type="periodic" if loop else "not-a-knot")

    def trajectory(times: "Tensor") -> "Tensor":
        places = times.detach().cpu().double().clamp(0, 1) * (len(closed) - 1)
        return torch.from_numpy(curve(places.numpy())).to(keys.device, keys.dtype)

    return trajectory


def slerp(
    G: "Generator", z: "Tensor", labels: Sequence[int] = (), *, truncation: float = 1.0, loop: bool = False
) -> Trajectory:
    """Great circles in Z between key codes, through the mapping network (White 2016): all codes are likely samples.

    Angle, length and class change linearly between two keys.

    Args:
        G: the generator.
        z: ``[K, z_dim]``, at least two.
        labels: the class of each, for a model with classes.
        truncation: as in ``Generator.map``.
        loop: as in ``linear``.

    Raises:
        InputError: there are fewer than two.
    """
    import torch

    closed = _closed(z, loop).to(G.device, torch.float32)
    length = closed.norm(dim=1, keepdim=True)
    unit = closed / length
    angle = (unit[:-1] * unit[1:]).sum(1, keepdim=True).clamp(-1, 1).acos()
    classes = None
    if labels:
        one_hot = torch.nn.functional.one_hot(torch.tensor(labels), G.label_dim).float()
        classes = _closed(one_hot, loop).to(G.device)

    def trajectory(times: "Tensor") -> "Tensor":
        first, fraction = _segment(times, closed)
        t, full = fraction[:, None], angle[first]
        straight = unit[first].lerp(unit[first + 1], t)
        # Between equal or opposite codes no great circle is defined: a straight line.
        sine = full.sin()
        round_ = (((1 - t) * full).sin() * unit[first] + (t * full).sin() * unit[first + 1]) / sine.clamp_min(1e-6)
        turned = torch.where(sine > 1e-4, round_, straight)
        label = None if classes is None else classes[first].lerp(classes[first + 1], t)
        return G.map(turned * length[first].lerp(length[first + 1], t), label, truncation)

    return trajectory


def only_rows(trajectory: Trajectory, rows: Sequence[int], held: "Tensor") -> Trajectory:
    """Restrict a trajectory to some rows, such as those of the coarse styles, which move the pose alone.

    Args:
        trajectory: gives the rows that move.
        rows: their indices.
        held: ws ``[1, num_ws, w_dim]`` for the other rows.
    """

    def restricted(times: "Tensor") -> "Tensor":
        moved, ws = trajectory(times), held.expand(len(times), -1, -1).clone()
        ws[:, list(rows)] = moved[:, list(rows)]
        return ws

    return restricted


def sweep(
    trajectory: Trajectory,
    direction: "Direction",
    ends: tuple[float, float],
    *,
    rows: Sequence[int] | None = None,
    raw: bool = False,
) -> Trajectory:
    """Add a direction to a trajectory, with a strength that changes linearly over time.

    Args:
        trajectory: ``still``, or a moving one.
        direction: bound to the generator.
        ends: the strengths at times 0 and 1.
        rows, raw: as in ``Direction.apply``.
    """
    return _along(trajectory, direction, lambda time: ends[0] + (ends[1] - ends[0]) * time, rows, raw)


def swing(trajectory: Trajectory, direction: "Direction", furthest: float) -> Trajectory:
    """Add a direction to a trajectory, with a strength that goes to ``furthest``, to its opposite, and back to 0.

    Args:
        trajectory, direction: as for ``sweep``.
        furthest: the strength at time 1/4.
    """
    return _along(trajectory, direction, lambda time: furthest * math.sin(2 * math.pi * time))


def _along(
    trajectory: Trajectory,
    direction: "Direction",
    strength_at: Callable[[float], float],
    rows: Sequence[int] | None = None,
    raw: bool = False,
) -> Trajectory:
    import torch

    def moved(times: "Tensor") -> "Tensor":
        ws, each = trajectory(times), enumerate(map(strength_at, times.tolist()))
        return torch.cat([direction.apply(ws[i : i + 1], strength, rows=rows, raw=raw) for i, strength in each])

    return moved


def sweep_styles(
    directions: "Sequence[Direction]",
    ends: tuple[float, float],
    *,
    rows: Sequence[int] | None = None,
    raw: bool = False,
) -> StyleTrajectory:
    """``sweep`` for directions in StyleSpace, which move the styles of a code.

    Args:
        directions: bound to the generator, all in StyleSpace.
        ends, rows, raw: as in ``sweep``; rows are those of the layers whose styles move.

    Returns:
        A function to styles, which raises InputError if they overflow.
    """
    from stylegan_latents.editing.directions.apply import edited_styles

    def swept(G: "Generator", ws: "Tensor", time: float) -> "list[Tensor]":
        strength = ends[0] + (ends[1] - ends[0]) * time
        return edited_styles(G, ws, [(direction, strength) for direction in directions], rows=rows, raw=raw)

    return swept


def sweep_truncation(trajectory: Trajectory, w_avg: "Tensor", ends: tuple[float, float]) -> Trajectory:
    """Apply the truncation trick to a trajectory, with a truncation that changes linearly over time.

    Args:
        trajectory: ``still``, or a moving one.
        w_avg: the mean w, ``[w_dim]``.
        ends: the truncation at times 0 and 1: 1 keeps the code, 0 gives the mean.
    """

    def swept(times: "Tensor") -> "Tensor":
        ws = trajectory(times)
        kept = (ends[0] + (ends[1] - ends[0]) * times).to(ws.device, ws.dtype)
        return w_avg.to(ws.device, ws.dtype).lerp(ws, kept[:, None, None])

    return swept


def frame_times(frames: int, *, loop: bool = False, ping_pong: bool = False) -> "Tensor":
    """The time of each frame, evenly spaced from 0 to 1.

    Args:
        frames: number of frames.
        loop: leave out time 1, which is time 0 of the next round.
        ping_pong: from 0 to 1 and back, each end once, so that the film repeats without a jump.

    Returns:
        float64 ``[frames]``.

    Raises:
        InputError: there are fewer than two frames or too many, or both loop and ping_pong are set.
    """
    import torch

    check_frames(frames)
    if loop and ping_pong:
        raise InputError("--loop returns to the first key frame, --ping-pong plays backwards; choose one.")
    if loop:
        return torch.arange(frames, dtype=torch.float64) / frames
    if not ping_pong:
        return torch.linspace(0, 1, frames, dtype=torch.float64)
    there = frames // 2
    back = frames - there
    forth = torch.linspace(0, 1, there + 1, dtype=torch.float64)
    return torch.cat([forth, 1 - torch.arange(1, back, dtype=torch.float64) / back])


def ease(times: "Tensor", easing: Easing, segments: int = 1) -> "Tensor":
    """Change times so that the speed is constant (``linear``), or zero at each key (``smooth``)."""
    import torch

    return ease_between(times, easing, torch.linspace(0, 1, segments + 1, dtype=torch.float64))


def ease_between(times: "Tensor", easing: Easing, keys: "Tensor") -> "Tensor":
    """``ease`` for keys at any times: float64 ``[K]``, ascending from 0 to 1."""
    import torch

    if easing == "linear":
        return times
    after = torch.searchsorted(keys, times.to(keys), right=True).clamp(1, len(keys) - 1)
    low, high = keys[after - 1], keys[after]
    fraction = ((times - low) / (high - low)).clamp(0, 1)
    return low.lerp(high, fraction * fraction * (3 - 2 * fraction))


def check_frames(frames: int) -> None:
    """Raise InputError for a number of frames that makes no film."""
    if frames < 2:
        raise InputError(f"A film needs at least 2 frames, not {frames}; 60 last two and a half seconds.")
    if frames > LONGEST:
        raise InputError(f"{frames} frames are more than one film may have ({LONGEST}); make several.")


def check_keys(count: int, loop: bool = False) -> None:
    """Raise InputError for too few key codes."""
    if count < 2:
        raise InputError(
            f"An interpolation{' loop' if loop else ''} needs at least two key frames, not {count}; add "
            "another record or seed, or sweep a direction, such as --direction smile --range -2 2."
        )


def check_ends(ends: tuple[float, float], option: str) -> None:
    """Raise InputError for ends of a sweep that are equal or not finite."""
    if not all(math.isfinite(end) for end in ends) or ends[0] == ends[1]:
        raise InputError(f"{option} needs two different finite numbers, not {ends[0]:g} {ends[1]:g}.")


def _closed(keys: "Tensor", loop: bool) -> "Tensor":
    import torch

    check_keys(len(keys), loop)
    return torch.cat([keys, keys[:1]]) if loop else keys


def _segment(times: "Tensor", keys: "Tensor") -> "tuple[Tensor, Tensor]":
    """The segment of each time between keys, int64 ``[N]``, and the fraction of it, ``[N]`` in [0, 1]."""
    # Times are float64, which MPS does not have.
    place = times.cpu().clamp(0, 1) * (len(keys) - 1)
    first = place.floor().clamp(max=len(keys) - 2).long()
    return first.to(keys.device), (place - first).to(keys.device, keys.dtype)
