"""Draw the frames of a trajectory."""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.films.write import Frame

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.editing.films.trajectories import StyleTrajectory, Trajectory
    from stylegan_latents.generator.generator import Generator, Noise
    from stylegan_latents.generator.networks.camera import Camera
    from stylegan_latents.generator.styles.style import Style

NoiseCurve = Callable[[float], "Noise"]
"""Maps a time in [0, 1] to noise for the generator."""

WeightsCurve = Callable[[float], "Mapping[str, Tensor]"]
"""Maps a time in [0, 1] to parameters of the generator, by name."""


def draw_frames(
    G: "Generator",
    trajectory: "Trajectory",
    times: "Tensor",
    *,
    styles: "StyleTrajectory | None" = None,
    noise: NoiseCurve | None = None,
    weights: WeightsCurve | None = None,
    cameras: "Sequence[Camera | None] | None" = None,
    size: int | None = None,
    precision: Literal["auto", "float32", "bfloat16"] = "auto",
) -> Iterator[Frame]:
    """Draw a film, one frame in memory at a time.

    Args:
        G: the generator; not changed.
        trajectory: gives the codes.
        times: ``[N]`` in [0, 1].
        styles: gives the styles of a code; None for the generator's.
        noise: gives the noise; None for the model's own.
        weights: gives tuned parameters; None for the model's own.
        cameras: one for each frame; None for the model's own.
        size: side of the frames, as in ``Generator.synthesize``.
        precision: of the convolutions; ``auto`` is bfloat16 on devices with native support, which differs from
            float32 by about half a level of 255.

    Yields:
        uint8 ``[size, size, 3]``.

    Raises:
        InputError: a code is not finite.
    """
    import torch

    from stylegan_latents.generator.ops.memory import keep_freed_memory
    from stylegan_latents.generator.precision import resolve_precision
    from stylegan_latents.invert.record.tuned_weights import set_weights

    chosen = resolve_precision(precision, G.device)
    if chosen != "float32" or weights is not None:
        G = copy.deepcopy(G).to(dtype=torch.float32 if chosen == "float32" else torch.bfloat16)
    last: Mapping[str, Tensor] | None = None
    with keep_freed_memory():
        for time, camera in zip(times, cameras or [None] * len(times), strict=True):
            # Inside the loop: the mode is the thread's, and must not last while the caller has the frame.
            with torch.inference_mode():
                ws = trajectory(time[None])
                if not bool(torch.isfinite(ws).all()):
                    raise InputError("A code on the trajectory is not finite; use strengths between -5 and 5.")
                maps = "const" if noise is None else noise(float(time))
                tuned = None if weights is None else weights(float(time))
                if tuned is not None and tuned is not last:
                    set_weights(G, tuned)
                    last = tuned
                drawn = G.styles(ws) if styles is None else styles(G, ws, float(time))
                frame = _to_frame(G.synthesize_styles(drawn, maps, size=size, camera=camera))
            yield frame


def noise_between(
    maps: "Sequence[Sequence[Tensor] | None]", constants: "Sequence[Tensor]", *, loop: bool = False
) -> NoiseCurve | None:
    """Interpolate the noise between key codes linearly.

    Args:
        maps: the noise maps of each key, ``[1, 1, H, W]`` each; None for the model's.
        constants: the model's.
        loop: as in ``linear``.

    Returns:
        The noise at a time; None if no key has noise of its own.
    """
    if all(one is None for one in maps):
        return None
    keys = [list(constants) if one is None else list(one) for one in maps]
    keys += keys[:1] if loop else []

    def at(time: float) -> "Noise":
        first, after, fraction = between(time, len(keys))
        return [a.lerp(b, fraction) for a, b in zip(keys[first], keys[after], strict=True)]

    return at


def weights_between(
    G: "Generator", tuned: "Sequence[Mapping[str, Tensor] | None]", *, loop: bool = False
) -> WeightsCurve | None:
    """Interpolate tuned weights between key codes linearly.

    Args:
        G: the generator before tuning.
        tuned: the changes of each key's tuning, by parameter; None for no tuning.
        loop: as in ``linear``.

    Returns:
        The parameters at a time; None if no key has tuned weights.
    """
    if all(one is None for one in tuned):
        return None
    names = sorted({name for one in tuned for name in one or {}})
    exact = {name: parameter.float() for name, parameter in G.named_parameters() if name in names}
    keys = [
        {name: exact[name] + one[name] if one is not None and name in one else exact[name] for name in names}
        for one in tuned
    ]
    keys += keys[:1] if loop else []

    def at(time: float) -> "Mapping[str, Tensor]":
        first, after, fraction = between(time, len(keys))
        if first == after:
            return keys[first]
        return {name: keys[first][name].lerp(keys[after][name], fraction) for name in names}

    return at


def weights_in_style(
    G: "Generator", style: "Style", ends: tuple[float, float], weights: WeightsCurve | None
) -> WeightsCurve:
    """Add a style to parameters, from the first strength to the second.

    Args:
        G: the generator without the style.
        style: of that generator.
        ends: strengths at the times 0 and 1, as for ``Style.apply``.
        weights: the parameters without the style, as ``weights_between`` gives them; None for the model's.

    Raises:
        InputError: the style belongs to another generator.
    """
    differences = style.differences(G)
    exact = {name: parameter.float() for name, parameter in G.named_parameters() if name in differences}

    def at(time: float) -> "Mapping[str, Tensor]":
        tuned = exact if weights is None else exact | dict(weights(time))
        strength = ends[0] + time * (ends[1] - ends[0])
        return {
            name: weight.add(differences[name], alpha=strength) if name in differences else weight
            for name, weight in tuned.items()
        }

    return at


def between(time: float, keys: int) -> tuple[int, int, float]:
    """The keys before and after a time in [0, 1], and its fraction between them."""
    place = min(max(time, 0.0), 1.0) * (keys - 1)
    first = min(int(place), max(keys - 2, 0))
    return first, min(first + 1, keys - 1), place - first


def _to_frame(image: "Tensor") -> Frame:
    import torch

    from stylegan_latents.generator.perceptual import as_colour

    pixels = as_colour(image)[0].permute(1, 2, 0).add(1).mul_(127.5).round_().clamp_(0, 255)
    frame: Frame = pixels.to(torch.uint8).contiguous().cpu().numpy()
    return frame
