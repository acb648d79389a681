"""StyleSpace: single style channels that control one region or attribute (Wu, Lischinski & Shechtman, "StyleSpace
Analysis: Disentangled Controls for StyleGAN Image Generation", 2021).

Channels are ranked by example codes that share an attribute (section 5), or by the share of a channel's change of
the picture inside a mask (section 4). As in the paper, to-RGB's styles, which colour everything, are left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from stylegan_latents.editing.directions.calibration import style_deviations, w_statistics
from stylegan_latents.editing.directions.direction import JSON, Direction
from stylegan_latents.editing.discovery.finders.base import (
    COUNT,
    ExampleOptions,
    Plan,
    RankedOptions,
    RegionOptions,
    channel_mask,
    check_count,
    found_direction,
)
from stylegan_latents.editing.discovery.finders.examples import ExamplePairs, examples_of
from stylegan_latents.generator.cli.progress import Begin, Progress
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator

_CODES = 8
# In standard deviations; a smaller spread of the examples is chance, or they are the same.
_LEAST_SPREAD = 0.05


@dataclass(frozen=True)
class Channel:
    """One channel of StyleSpace.

    Attributes:
        position: among the channels of all layers.
        layer: its layer's name.
        index: within that layer.
        score: that it is ranked by, the higher the better.
        sign: 1 or -1, the sign of the change in the examples.
    """

    position: int
    layer: str
    index: int
    score: float
    sign: int

    @property
    def name(self) -> str:
        return f"{self.layer}.{self.index}"


class StyleSpace:
    """Ranks style channels and makes directions of them.

    Args:
        G: any generator.
        layers: whose channels are ranked, in the syntax of ``--layers``; None for all.
        region: codes ``[N, num_ws, w_dim]`` and masks ``[1 or N, 1, S, S]`` that ``find`` ranks by.
        pairs: example codes that ``find`` ranks by without a region.
        together: name of one direction that ``find`` makes of the best channels; None for one direction each.
        channels: number of channels of that one direction.

    Raises:
        InputError: there is no such layer, or the layers hold nothing but to-RGB.
    """

    def __init__(
        self,
        G: "Generator",
        layers: str | None = None,
        *,
        region: "tuple[Tensor, Tensor] | None" = None,
        pairs: ExamplePairs | None = None,
        together: str | None = None,
        channels: int = COUNT,
    ) -> None:
        self.G, self.region, self.pairs, self.together, self.channels = G, region, pairs, together, channels
        self.layers = layers or "all"
        self._mask = channel_mask(G, self.layers)
        self._statistics = w_statistics(G)
        self._deviations = style_deviations(G, self._statistics)

    def rank_by_examples(self, positive: "Tensor", negative: "Tensor | None" = None) -> list[Channel]:
        """Channels by how much and how consistently examples differ from W, or from their counterparts.

        The score is the mean difference over its standard deviation from example to example, both in standard
        deviations of the channel over W; the median spread in the denominator ranks constant channels low.

        Args:
            positive: codes with the attribute, ``[N, num_ws, w_dim]``.
            negative: their counterparts without it, in the same order; None compares with the mean style.

        Raises:
            InputError: there are no examples, or the pairs do not fit.
        """
        import torch

        if not len(positive):
            raise InputError("There are no examples to rank style channels by; give some records.")
        if negative is not None and len(negative) != len(positive):
            raise InputError(f"{len(positive)} examples with and {len(negative)} without make no pairs.")
        with torch.no_grad():
            mean = self.G.styles(self._statistics.mean.expand(1, self.G.num_ws, -1))
            base = mean if negative is None else self.G.styles(negative)
            away = torch.cat(self.G.styles(positive), dim=1) - torch.cat(base, dim=1)
        away = away / self._deviations.clamp_min(1e-12)
        difference = away.mean(dim=0)
        spread = away.std(dim=0) if len(away) > 1 else torch.zeros_like(difference)
        floor = spread[self._mask].median().clamp_min(_LEAST_SPREAD) if len(away) > 1 else torch.ones(())
        return self._ranked(difference.abs() / (spread + floor).clamp_min(1e-12), difference.sign())

    def rank_by_mask(
        self,
        ws: "Tensor",
        masks: "Tensor",
        *,
        probes: int = 4,
        size: int | None = None,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> list[Channel]:
        """Channels by the share of their change of the picture inside a mask.

        The change is the squared difference of the pixels for one standard deviation of the channel, estimated for
        all channels at once from gradients under random signs (Hutchinson's estimator); the median change in the
        denominator ranks channels that change little low.

        Args:
            ws: codes, ``[N, num_ws, w_dim]``; a handful is enough.
            masks: ``[1 or N, 1, S, S]`` in [0, 1]; any size.
            probes: number of random sign patterns for each code, inside and outside.
            size: side of the pictures in pixels; None for 256, at most the resolution.
            seed: of the signs.
            progress: called with the number of codes done and the total.

        Raises:
            InputError: a mask is empty or covers everything, or there are no codes.
        """
        import torch

        from stylegan_latents.generator.features import effects_in_places

        size = size or min(256, self.G.resolution)
        masks = torch.nn.functional.interpolate(masks.float().to(ws.device), (size, size), mode="area")
        covered = masks.mean(dim=(1, 2, 3))
        if not len(ws) or not bool(((covered > 0) & (covered < 1)).all()):
            raise InputError("A mask has to cover a part of the picture: white where to change, black elsewhere.")
        masks = masks.expand(len(ws), -1, -1, -1)
        energy = effects_in_places(
            self.G, ws, torch.cat([masks, 1 - masks], dim=1), probes=probes, size=size, seed=seed, progress=progress
        )
        energy = energy * self._deviations.to(ws.device).square()
        total = energy.sum(dim=0)
        floor = total[self._mask.to(ws.device)].median()
        return self._ranked(energy[0] / (total + floor).clamp_min(1e-30), torch.ones_like(total))

    def find(self, count: int = COUNT, on_progress: Progress | None = None) -> list[Direction]:
        """Directions of the best channels by the given region or pairs.

        Raises:
            InputError: as for the ranking, ``directions`` and ``combine``.
            ValueError: neither a region nor pairs were given.
        """
        if self.region is not None:
            ranked = self.rank_by_mask(*self.region, progress=on_progress)
        elif self.pairs is not None:
            if not self.pairs.names:
                raise InputError("Ranking style channels needs pairs: records of the same names in both folders.")
            ranked = self.rank_by_examples(self.pairs.after, self.pairs.before)
        else:
            raise ValueError("style channels are ranked by a region or by pairs")
        if self.together is not None:
            return [self.combine(ranked, self.channels, self.together)]
        return self.directions(ranked, count)

    def directions(self, ranked: Sequence[Channel], count: int) -> list[Direction]:
        """A direction for each of the best channels: ``stylespace-00``, ...; strength 1 is one standard deviation.

        Raises:
            InputError: ``count`` is not between 1 and the number of channels.
        """
        check_count(count, len(ranked))
        found = []
        for index, channel in enumerate(ranked[:count]):
            about: dict[str, JSON] = {"channel": channel.name, "score": channel.score}
            about["positive"] = f"{'more' if channel.sign > 0 else 'less'} of style channel {channel.name}"
            found.append(self._direction(f"stylespace-{index:02d}", [channel], about))
        return found

    def combine(self, ranked: Sequence[Channel], count: int, name: str) -> Direction:
        """One direction of the ``count`` best channels, weighted by score and standard deviation.

        Raises:
            InputError: ``count`` is not between 1 and the number of channels.
        """
        check_count(count, len(ranked))
        channels = ranked[:count]
        return self._direction(name, channels, {"channels": [channel.name for channel in channels]})

    def _direction(self, name: str, channels: Sequence[Channel], about: dict[str, JSON]) -> Direction:
        import torch

        vector = torch.zeros(1, len(self._deviations))
        for channel in channels:
            weight = channel.score if len(channels) > 1 else 1.0
            vector[0, channel.position] = channel.sign * weight * float(self._deviations[channel.position])
        if not bool(vector.any()):
            raise InputError(f"The style channel {channels[0].name} never varies; choose other --layers.")
        return found_direction(
            self.G,
            name,
            vector / vector.norm(),
            {"finder": "StyleSpace", **about},
            layers=self.layers,
            statistics=self._statistics,
            space="s",
        )

    def _ranked(self, scores: "Tensor", signs: "Tensor") -> list[Channel]:
        channels = [(layer.name, index) for layer in self.G.layers for index in range(layer.channels)]
        values = zip(channels, scores.tolist(), signs.tolist(), self._mask.tolist(), strict=True)
        found = [
            Channel(position, *channel, score=score, sign=-1 if sign < 0 else 1)
            for position, (channel, score, sign, chosen) in enumerate(values)
            if chosen
        ]
        return sorted(found, key=lambda channel: (-channel.score, channel.position))


@dataclass(frozen=True, kw_only=True)
class StyleSpaceOptions(RankedOptions, RegionOptions, ExampleOptions):
    """Options of ``StyleSpace``."""

    together: Annotated[
        bool, typer.Option("--together", help="The --count best style channels as one direction.")
    ] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.before is not None) == bool(self.mask):
            raise InputError(
                "--method stylespace needs either --mask, a picture or a name such as mouth, or "
                "--before FOLDER --after FOLDER."
            )
        if self.name is not None and not self.together:
            raise InputError(
                "--name is for one direction of several style channels; add --together, or leave it out."
            )
        if self.samples is not None and not self.mask:
            raise InputError("--samples is for a --mask; leave it out.")

    def plan(self, begin: Begin) -> Plan:
        name = (self.name or "stylespace") if self.together else None

        def make(G: "Generator") -> StyleSpace:
            G.rows(self.layers or "all")
            region = self.region(G, _CODES, begin) if self.mask else None
            pairs = None if self.mask else examples_of(self, G)
            return StyleSpace(
                G, self.layers, region=region, pairs=pairs, together=name, channels=self.count_or_default
            )

        return Plan(self.numbered("stylespace") if name is None else (name,), make)
