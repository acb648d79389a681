"""One-shot stylisation: a generator tuned to draw like one picture.

Chong and Forsyth, "JoJoGAN: One Shot Face Stylization", 2022. The picture's realistic code, from an encoder, gives
many codes that share its coarse rows and have the fine rows of random samples; the generator is tuned until each of
them looks like the picture. Steps are relative to each weight's root mean square, so that one learning rate suits
all architectures.
"""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import Tensor
from torch.func import functional_call

from stylegan_latents.editing.styles.losses import OtherFaces, brightness, draws_faces, structure
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.generator.ops.memory import keep_freed_memory
from stylegan_latents.generator.perceptual import LPIPS, area_resize, as_colour
from stylegan_latents.generator.precision import in_precision
from stylegan_latents.generator.styles.style import Style
from stylegan_latents.generator.styles.weights import expanded, layers_of_parameters, low_rank, side
from stylegan_latents.invert.record.tuned_weights import added, tunable, units
from stylegan_latents.invert.search.steps import OptimizerSettings, schedule, size_to_draw

_FINE = 32
"""Layers of more pixels are fine: their rows are exchanged, and with ``keep_shape`` they alone are tuned."""

_TRUNCATION = 0.8
"""Of the random faces whose texture and identity are compared."""

_TEXTURE, _IDENTITY = 0.15, 0.5
"""Weights of the losses of random faces: the texture's and the identity's."""

_RANKS = (8, 16, 32, 64)
_UNSEEN = 0.03
"""LPIPS between the pictures of a style and of its low-rank form; less is not seen."""


@dataclass(frozen=True, kw_only=True)
class StylizeSettings(OptimizerSettings):
    """Settings of stylisation: those of ``OptimizerSettings``, and more.

    Attributes:
        learning_rate: in units of each weight's root mean square.
        keep_colour: compare with the style picture's brightness and the untuned picture's colours.
        keep_shape: tune the layers finer than 32 pixels alone, which leaves shapes where they are.
        structure_weight: of the squared difference between the tuned and the untuned picture's brightness at 32
            pixels, each normalised; used with ``keep_shape``.
        texture_weight: see ``OtherFaces``; with ``keep_colour`` it compares brightness alone.
        identity_weight: of the squared identity distance between a random face's tuned and untuned picture.
        exchange: rows of ws that are exchanged, as ``Generator.rows`` reads them; None for those of 64 pixels and
            finer, or of a model without these, those of its last layers.
        constant_rate: keep the learning rate, as the paper's code does; else it goes to 0 in the second half.
        seed: of the random codes.

    Raises:
        InputError: a value is out of its range.
    """

    name: ClassVar[str] = "A style"

    steps: int = 60
    learning_rate: float = 3e-3
    pixel_weight: float = 0.0
    keep_colour: bool = False
    keep_shape: bool = False
    structure_weight: float = 0.1
    texture_weight: float = 0.0
    identity_weight: float = 0.0
    exchange: str | None = None
    constant_rate: bool = False
    seed: int = 0


class StyleTuning:
    """The state of tuning a generator to style pictures.

    Args:
        G: the generator, which is not changed.
        pictures: ``[N, 3, H, W]`` in [-1, 1], aligned like the generator's training images.
        ws: ``[N, num_ws, w_dim]``, their realistic codes.
        settings: of tuning.
        step_units: the unit of a step for each parameter; None for its root mean square.

    Attributes:
        difference: of the weights, in units of a step, by the names of parameters.

    Raises:
        InputError: a setting does not fit the generator.
    """

    def __init__(
        self,
        G: Generator,
        pictures: Tensor,
        ws: Tensor,
        settings: StylizeSettings | None = None,
        *,
        step_units: dict[str, float] | None = None,
    ) -> None:
        G.check_square("A style")
        self.G, self.ws = G, ws.to(G.device)
        self.settings = settings = (settings or StylizeSettings()).for_generator(G)
        self.rows = exchanged_rows(G, settings.exchange)
        self._drawn_size = size_to_draw(settings.search_size, G)
        self._lpips = LPIPS.load("vgg").to(G.device).in_precision(settings.dtype)
        self._pictures = self._small(pictures.to(G.device).float())
        with torch.no_grad():
            self._targets = [self._lpips.features(one[None]) for one in self._pictures]
        self._others: OtherFaces | None = None
        if settings.texture_weight or settings.identity_weight:
            self._others = OtherFaces(
                self._pictures, self._lpips,
                texture_weight=settings.texture_weight, identity_weight=settings.identity_weight,
                grey=settings.keep_colour,
            )  # fmt: skip
        sides = {name: side(layer) for name, layer in layers_of_parameters(G).items()}
        fine = max(sides.values()) > _FINE
        self.exact = {
            name: weight.float()
            for name, weight in tunable(G).items()
            if not (settings.keep_shape and fine) or sides[name] > _FINE
        }
        own = units(G) if step_units is None else step_units
        self._units = {name: own[name] for name in self.exact}
        self.difference = {name: torch.zeros_like(weight).requires_grad_() for name, weight in self.exact.items()}
        self._drawing = in_precision(G, settings.dtype)
        self._dtypes = {name: weight.dtype for name, weight in tunable(self._drawing).items()}
        self._adam = torch.optim.Adam(
            self.difference.values(), lr=settings.learning_rate, betas=(0.0, 0.99),
            fused=G.device.type in ("cpu", "cuda"),
        )  # fmt: skip
        self._random = torch.Generator().manual_seed(settings.seed)
        self._random_others = torch.Generator().manual_seed(settings.seed + 1)

    def code(self, step: int) -> tuple[int, Tensor]:
        """The style picture of a step, and a new code ``[1, num_ws, w_dim]`` that shares its coarse rows."""
        number = step % len(self.ws)
        code = self.ws[number : number + 1].clone()
        code[:, self.rows] = self._random_code(self._random)[:, self.rows]
        return number, code

    def _random_code(self, random: torch.Generator, truncation: float = 1.0) -> Tensor:
        label = None
        if self.G.label_dim:
            drawn = torch.randint(self.G.label_dim, (1,), generator=random)
            label = torch.nn.functional.one_hot(drawn, self.G.label_dim).float()
        z = torch.randn(1, self.G.z_dim, generator=random)
        with torch.no_grad():
            return self.G.map(z, label, truncation)

    def step(self, step: int) -> float:
        """Do one step; returns the loss before it."""
        return self.step_at(step, *self.code(step))

    def step_at(self, step: int, number: int, code: Tensor) -> float:
        """Do one step with a code that is given.

        Args:
            step: its number, from 0.
            number: of the style picture.
            code: ``[1, num_ws, w_dim]``.

        Raises:
            InputError: the loss is not finite.
        """
        settings = self.settings
        with torch.no_grad():
            styles = self._drawing.styles(code)
            noise = self._drawing.noise_constants()
            target, plain = self._targets[number], None
            if settings.keep_colour or settings.keep_shape:
                plain = self._small(as_colour(self._drawing.synthesize_styles(styles, size=self._drawn_size)))
            if settings.keep_colour and plain is not None:
                brighter = brightness(self._pictures[number : number + 1]) - brightness(plain)
                target = self._lpips.features((plain + brighter).clamp(-1, 1))
        drawn = self._small(self._draw(styles, noise))
        loss = self._lpips.distance(self._lpips.features(drawn), target).mean()
        if settings.keep_shape and plain is not None:
            loss = loss + settings.structure_weight * (structure(drawn) - structure(plain)).square().mean()
        if self._others is not None:
            loss = loss + self._other_face(self._others, number)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise InputError("The style's tuning diverged; use a lower learning rate, or another picture.")
        factor = 1.0 if settings.constant_rate else schedule((step + 0.5) / settings.steps)
        self._adam.param_groups[0]["lr"] = settings.learning_rate * factor
        self._adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._adam.step()
        return value

    def _other_face(self, others: OtherFaces, number: int) -> Tensor:
        with torch.no_grad():
            styles = self._drawing.styles(self._random_code(self._random_others, _TRUNCATION))
            noise = self._drawing.noise_constants()
            plain = self._small(as_colour(self._drawing.synthesize_styles(styles, size=self._drawn_size)))
        return others.loss(self._small(self._draw(styles, noise)), plain, number)

    def _draw(self, styles: list[Tensor], noise: list[Tensor]) -> Tensor:
        tuned = {
            name.removeprefix("synthesis."): (weight + self._units[name] * self.difference[name]).to(
                self._dtypes[name]
            )
            for name, weight in self.exact.items()
        }
        drawn = functional_call(self._drawing.synthesis, tuned, (styles, noise), {"size": self._drawn_size})
        return as_colour(cast(Tensor, drawn))

    def _small(self, images: Tensor) -> Tensor:
        return area_resize(images, self.settings.search_size)

    def full_difference(self) -> dict[str, Tensor]:
        """The difference of each parameter, float32, in its own unit."""
        return {name: part.detach() * self._units[name] for name, part in self.difference.items()}

    def style(self, name: str, provenance: dict[str, JSON] | None = None) -> Style:
        """The style, in the smallest low-rank form whose pictures differ from the full one's by nothing seen."""
        full = self.full_difference()
        chosen = {key: part.half() for key, part in full.items()}
        rank: int | None = None
        codes = torch.cat([self.code(step)[1] for step in range(4)])
        with torch.no_grad():
            wanted = self._features(full, codes)
            for tried, small in zip(_RANKS, low_rank(full, _RANKS), strict=True):
                found = self._features(expanded(small, self.exact), codes)
                if float(self._lpips.distance(found, wanted).mean()) < _UNSEEN:
                    chosen, rank = small, tried
                    break
        kept: dict[str, JSON] = {key: value for key, value in self.settings.values().items() if value is not None}
        about: dict[str, JSON] = {**(provenance or {}), "settings": kept, "rank": rank}
        return Style(name, self.G.name, self.G.fingerprint, self.G.resolution, chosen, about)

    def _features(self, difference: dict[str, Tensor], codes: Tensor) -> list[Tensor]:
        weights = {
            name.removeprefix("synthesis."): weight.to(self._dtypes[name])
            for name, weight in added(self.exact, difference).items()
        }
        arguments = (self._drawing.styles(codes), self._drawing.noise_constants())
        drawn = functional_call(self._drawing.synthesis, weights, arguments, {"size": self._drawn_size})
        return self._lpips.features(self._small(as_colour(cast(Tensor, drawn))))


def stylize(
    G: Generator,
    pictures: Tensor,
    ws: Tensor,
    settings: StylizeSettings | None = None,
    *,
    name: str,
    provenance: dict[str, JSON] | None = None,
    on_step: Callable[[int, float], None] | None = None,
    keep_partial: bool = False,
) -> Style:
    """Tune a generator to style pictures; arguments are those of ``StyleTuning``.

    Args:
        name: of the style.
        provenance: kept in its file.
        on_step: called after each step with the number of steps done and the loss.
        keep_partial: return the style so far after a ``KeyboardInterrupt``; its provenance says the step.

    Raises:
        InputError: the settings do not fit, or the loss is not finite.
    """
    with keep_freed_memory():
        tuning = StyleTuning(G, pictures, ws, settings)
        about, done = dict(provenance or {}), 0
        try:
            while done < tuning.settings.steps:
                loss = tuning.step(done)
                done += 1
                if on_step is not None:
                    on_step(done, loss)
        except KeyboardInterrupt:
            if not (keep_partial and done):
                raise
            about["stopped_at_step"] = done
        return tuning.style(name, about)


def keeping_person(settings: StylizeSettings, G: Generator) -> StylizeSettings:
    """The settings with the losses of other faces, for a generator that draws aligned faces; else as they are."""
    if not draws_faces(G):
        return settings
    return dataclasses.replace(settings, texture_weight=_TEXTURE, identity_weight=_IDENTITY)


def exchanged_rows(G: Generator, layers: str | None = None) -> list[int]:
    """The rows of ws that are exchanged; see ``StylizeSettings.exchange``."""
    if layers is not None:
        return G.rows(layers)
    fine = [row for row, group in enumerate(G.ws_groups) if group == "fine"]
    return fine or list(range(G.num_ws - max(1, G.num_ws // 3), G.num_ws))
