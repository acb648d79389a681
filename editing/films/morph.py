"""Films between key codes: the trajectory, its speed, and the noise and weights of each frame."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stylegan_latents.editing.films import trajectories as interpolation
from stylegan_latents.editing.records.camera import RIG
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.styles.style import check_style_strength

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.editing.directions.direction import Direction
    from stylegan_latents.editing.films.trajectories import Curve, Easing, StyleTrajectory, Trajectory
    from stylegan_latents.editing.records.codes import Code
    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.generator.networks.camera import Camera
    from stylegan_latents.generator.styles.style import Style
    from stylegan_latents.invert.films.write import Frame

_POINTS = 24
_ORBIT = 25  # degrees, well within what photos of faces show


@dataclass(frozen=True)
class Morph:
    """Settings of a film between key codes; the attributes are options of ``edit interpolate``.

    Attributes:
        frames: number of frames.
        curve: ``linear`` or ``spline`` through W+; ``slerp`` through Z, for codes that have a z.
        easing: see ``ease``.
        even: constant perceptual speed, see ``editing.films.even_speed``.
        loop, ping_pong: see ``frame_times``.
        layers: the rows that move, also along directions, as typed; None for all rows, and for those of each
            direction.
        directions: bound to the generator, swept from the first of ``ends`` to the second.
        ends, raw: strengths of the directions, see ``sweep``.
        truncation_ends: see ``sweep_truncation``; None does not change the truncation.
        orbit: the camera of a three-dimensional model swings once by 25 degrees to both sides; in a model without a
            camera the head does, along the direction ``pose``.
        style: of the generator, drawn from the first of ``style_ends`` to the second; None for none.
        style_ends: strengths as for ``Style.apply``.
    """

    frames: int = 60
    curve: "Curve" = "linear"
    easing: "Easing" = "linear"
    even: bool = False
    loop: bool = False
    ping_pong: bool = False
    layers: str | None = None
    directions: "Sequence[Direction]" = ()
    ends: tuple[float, float] | None = None
    raw: bool = False
    truncation_ends: tuple[float, float] | None = None
    orbit: bool = False
    style: "Style | None" = None
    style_ends: tuple[float, float] | None = None

    def check(self, keys: int) -> None:
        """Check the settings, before a model is loaded.

        Args:
            keys: number of key codes.

        Raises:
            InputError: they make no film.
        """
        interpolation.check_frames(self.frames)
        is_sweep = any(ends is not None for ends in (self.ends, self.truncation_ends, self.style_ends))
        if keys < 2 and (not (is_sweep or self.orbit) or self.loop):
            interpolation.check_keys(keys, self.loop)
        if self.loop and is_sweep:
            raise InputError("A sweep does not end where it begins; take --ping-pong in place of --loop.")
        if self.even and keys < 2 and self.ends is None and self.truncation_ends is None:
            raise InputError("--even is for the way of a code, and only camera or style move; leave it out.")
        if self.ends is not None:
            interpolation.check_ends(self.ends, "--range")
        if self.truncation_ends is not None:
            interpolation.check_ends(self.truncation_ends, "--truncation-range")
        for strength in self.style_ends or ():
            check_style_strength(strength)

    def points(self, keys: int) -> int:
        """Number of points at which the speed is measured."""
        return _POINTS * self._segments(keys) + 1

    def times(
        self, G: "Generator", codes: "Sequence[Code]", *, on_point: Callable[[], None] | None = None
    ) -> "Tensor":
        """The time of each frame on the trajectory, ``[frames]`` in [0, 1].

        Args:
            G: the generator of all codes.
            codes: the key codes, in order.
            on_point: called after each of the ``points`` if ``even`` is set.

        Raises:
            InputError: as in ``check`` and ``trajectory``, or the speed cannot be measured.
        """
        self.check(len(codes))
        trajectory, segments = self.trajectory(G, codes), self._segments(len(codes))
        times = interpolation.frame_times(self.frames, loop=self.loop, ping_pong=self.ping_pong)
        if not self.even:
            return interpolation.ease(times, self.easing, segments)
        from stylegan_latents.editing.films.even_speed import even_speed

        first, points = codes[0], self.points(len(codes))
        speed = even_speed(
            first.own_generator(G),
            trajectory,
            points=points,
            styles=self.styles(G),
            noise=first.noise_or_const,
            on_point=on_point,
        )
        return speed(interpolation.ease_between(times, self.easing, speed.shares_at(segments + 1)))

    def draw(
        self, G: "Generator", codes: "Sequence[Code]", times: "Tensor", *, size: int | None = None
    ) -> "Iterator[Frame]":
        """Draw the film.

        Args:
            G, codes: as in ``times``.
            times: the result of ``times``.
            size: see ``film_side``.

        Returns:
            An iterator that draws frames uint8 ``[size, size, 3]``.

        Raises:
            InputError: as in ``trajectory``; the style is another generator's; or, while drawing, a code is not
                finite.
        """
        from stylegan_latents.editing.films.animation import (
            draw_frames,
            noise_between,
            weights_between,
            weights_in_style,
        )
        from stylegan_latents.invert.record.feature_patch import with_patches

        noise = noise_between([code.noise for code in codes], G.noise_constants(), loop=self.loop)
        weights = weights_between(G, [code.tuned(G) for code in codes], loop=self.loop)
        if self.style is not None and self.style_ends is not None:
            weights = weights_in_style(G, self.style, self.style_ends, weights)
        trajectory, styles = self.trajectory(G, codes), self.styles(G)
        drawn_by = with_patches(G, [hook for code in codes for hook in code.patches(G)])
        return draw_frames(
            drawn_by,
            trajectory,
            times,
            styles=styles,
            noise=noise,
            weights=weights,
            cameras=self.cameras(G, codes, times),
            size=size,
        )

    def cameras(self, G: "Generator", codes: "Sequence[Code]", times: "Tensor") -> "Sequence[Camera] | None":
        """The camera of each frame: between those of the key codes, and around them in an orbit.

        Args:
            G, codes, times: as for ``draw``.

        Returns:
            None where the generator's own camera stands still.

        Raises:
            InputError: an orbit beyond half a turn.
        """
        from stylegan_latents.editing.films.animation import between

        found = [code.own_generator(G).camera for code in codes] if G.camera is not None else []
        keys = [camera for camera in found if camera is not None]
        if G.camera is None or (not self.orbit and all(camera == G.camera for camera in keys)):
            return None
        keys += keys[:1] if self.loop else []
        cameras = []
        for frame, time in enumerate(times.tolist()):
            first, after, fraction = between(time, len(keys))
            yaw = _ORBIT * math.sin(2 * math.pi * frame / self.frames) if self.orbit else 0.0
            try:
                cameras.append(keys[first].lerp(keys[after], fraction).turned(yaw))
            except ValueError as error:
                raise InputError(f"--orbit goes too far: {error}; give a smaller --yaw.") from error
        return cameras

    def trajectory(self, G: "Generator", codes: "Sequence[Code]") -> "Trajectory":
        """The trajectory through the key codes and along directions in W.

        Raises:
            InputError: a curve through Z has a key without z, there are no such layers, or an orbit has neither a
                camera nor a direction that turns heads by known angles.
        """
        trajectory, rows = self._through(G, codes), self._rows(G)
        pose = self.turned_by(G)
        if self.truncation_ends is not None:
            trajectory = interpolation.sweep_truncation(trajectory, G.w_avg, self.truncation_ends)
        if rows is not None:
            trajectory = interpolation.only_rows(trajectory, rows, codes[0].ws)
        if self.ends is not None:
            for direction in self.directions:
                if direction.space == "w":
                    trajectory = interpolation.sweep(trajectory, direction, self.ends, rows=rows, raw=self.raw)
        # As a camera swings, whichever layers the faces exchange.
        return trajectory if pose is None else interpolation.swing(trajectory, *pose)

    def turned_by(self, G: "Generator") -> "tuple[Direction, float] | None":
        """For an orbit without a camera, the direction that turns heads and its strength; InputError as there."""
        if not self.orbit or G.camera is not None:
            return None
        from stylegan_latents.editing.directions.catalogue import known_directions
        from stylegan_latents.editing.directions.describe import score_change

        direction = known_directions(G.latent_space).get(RIG["yaw"])
        degrees = None if direction is None else score_change(direction)
        if direction is None or not degrees:
            G.check_camera()
            return None
        return direction.bind(G), _ORBIT / degrees

    def styles(self, G: "Generator") -> "StyleTrajectory | None":
        """The styles on the trajectory, moved along directions in StyleSpace; None if there are none.

        Raises:
            InputError: there are no such layers.
        """
        in_styles = [direction for direction in self.directions if direction.space == "s"]
        if self.ends is None or not in_styles:
            return None
        return interpolation.sweep_styles(in_styles, self.ends, rows=self._rows(G), raw=self.raw)

    def _rows(self, G: "Generator") -> list[int] | None:
        return None if self.layers is None else G.rows(self.layers)

    def _through(self, G: "Generator", codes: "Sequence[Code]") -> "Trajectory":
        import torch

        if self.curve == "slerp":
            drawn = [_z_of(code) for code in codes]
            if len({code.truncation for code in codes}) > 1:
                raise InputError(
                    "--curve slerp needs seeds of one truncation; draw them again, or take --curve spline."
                )
            if len(codes) > 1:
                labels = [code.label for code in codes if code.label is not None]
                return interpolation.slerp(
                    G, torch.cat(drawn), labels, truncation=codes[0].truncation, loop=self.loop
                )
        if len(codes) == 1:
            return interpolation.still(codes[0].ws)
        through = interpolation.spline if self.curve == "spline" else interpolation.linear
        return through(torch.cat([code.ws for code in codes]), loop=self.loop)

    def _segments(self, keys: int) -> int:
        return max(1, keys - (not self.loop))


def _z_of(code: "Code") -> "Tensor":
    if code.z is None:
        raise InputError(
            f"--curve slerp goes through Z, which only seeds have, and {code.name} is a record; leave it out, or "
            "take --curve spline."
        )
    return code.z


def film_side(size: int | None, G: "Generator") -> int | None:
    """Check the side of the frames, for ``Generator.synthesize``; None is the model's.

    Raises:
        InputError: the model cannot draw at that side.
    """
    if size is not None and (size < 16 or G.resolution % size or (G.resolution // size).bit_count() != 1):
        sides = [G.resolution >> shift for shift in range(4) if G.resolution >> shift >= 16]
        raise InputError(f"--size takes {', '.join(map(str, sides))} or so for this model, not {size}.")
    return size
