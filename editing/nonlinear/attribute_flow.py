"""Editing by attributes: a code is mapped to a normal distribution with its own attributes, and back with others
(StyleFlow: Abdal et al. 2021, section 5).
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from annotated_types import Gt, Le, MaxLen

from stylegan_latents.editing.directions.direction import JSON
from stylegan_latents.editing.directions.row_mapping import map_rows
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import atomic_path
from stylegan_latents.generator.layers import Layer, parse_layers

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from stylegan_latents.editing.nonlinear.flow_network import FlowNetwork
    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.generator.statistics import WStatistics

KEY = "stylegan-latents-flow"
WHITENING = ("mean", "axes", "deviations")
"""Tensors of a flow's whitening, by the names of ``WStatistics``."""

_Name = Annotated[str, MaxLen(200)]


@dataclass(frozen=True)
class FlowAttribute:
    """An attribute that a flow is conditioned on.

    Attributes:
        name: what the user types.
        low, high: the values that it can be set to.
        mean, deviation: of the values; the network takes them standardised.
        usual: the value of a picture that was not measured.
        layers: the layers that an edit of it moves.
        layers_of: the number of rows of the StyleGAN2 that ``layers`` count; 0 for layers of any model.
        gain: how much the network's condition changes for each unit of the value.
        score: the name of the score that measures it; None where none does.
        log_odds: whether the score is the logarithm of odds, and the value a probability.
    """

    name: _Name
    low: float
    high: float
    mean: float = 0.0
    deviation: Annotated[float, Gt(0)] = 1.0
    usual: float = 0.0
    layers: _Name = "all"
    layers_of: int = 0
    gain: float = 1.0
    score: _Name | None = None
    log_odds: bool = False

    def measured(self, scores: Mapping[str, float]) -> float | None:
        """The value by scores, no further out than those that the flow has seen; None where it is not measured."""
        score = None if self.score is None else scores.get(self.score)
        if score is None:
            return None
        value = 1 / (1 + math.exp(-max(-50.0, score))) if self.log_odds else score
        return min(max(value, self.low), self.high)

    def rows(self, G: "Generator") -> list[int]:
        """The rows of ws that an edit moves; InputError if there are none."""
        if not self.layers_of:
            return list(G.rows(self.layers))
        numbered = [Layer(str(row), 4, row, 0) for row in range(self.layers_of)]
        rows = map_rows(parse_layers(self.layers, numbered, self.layers_of), self.layers_of, G)
        if not rows:
            raise InputError(f"The model '{G.name}' has no rows of the resolution that '{self.name}' moves.")
        return rows


@dataclass(frozen=True, eq=False)
class AttributeFlow:
    """A flow with the attributes that it knows.

    Attributes:
        name: of the flow, for messages.
        network: the flow, of codes that are whitened if there is a ``whitening``.
        attributes: in the order of the network's conditions.
        latent_space: of the models it belongs to; empty where the file does not say.
        scorer: what measures the attributes, as ``--scorer`` takes it; empty for a published flow.
        whitening: of w.
        provenance: samples, scorer's version, held-out likelihood.
    """

    name: str
    network: "FlowNetwork"
    attributes: tuple[FlowAttribute, ...]
    latent_space: str = ""
    scorer: str = ""
    whitening: "WStatistics | None" = None
    provenance: Mapping[str, JSON] = field(default_factory=dict)

    def index(self, name: str) -> int:
        """The place of an attribute; InputError if there is none of this name."""
        names = [one.name for one in self.attributes]
        if name not in names:
            raise InputError(f"The flow {self.name} knows no attribute '{name}'; it has {', '.join(names)}.")
        return names.index(name)

    def check_value(self, name: str, value: float) -> None:
        """Raise InputError for an unknown attribute, or a value that the flow has not seen."""
        one = self.attributes[self.index(name)]
        if not one.low <= value <= one.high:
            raise InputError(
                f"'{name}' of the flow {self.name} runs from {one.low:.4g} to {one.high:.4g}, so it cannot be "
                f"{value:g}."
            )

    def attributes_of(self, scores: Mapping[str, float], given: Mapping[str, float]) -> "Tensor":
        """A picture's attributes ``[attributes]``: the given ones, those that scores measure, or usual ones."""
        import torch

        found = [given.get(one.name, one.measured(scores)) for one in self.attributes]
        pairs = zip(found, self.attributes, strict=True)
        return torch.tensor([one.usual if value is None else value for value, one in pairs])

    def source(self, name: str, scores: Mapping[str, float]) -> str:
        """Where ``attributes_of`` has an attribute from that is not given."""
        return "usual" if self.attributes[self.index(name)].measured(scores) is None else "measured"

    def to(self, device: "torch.device") -> Self:
        """The flow on a device."""
        one = self.whitening
        moved = None if one is None else replace(one, **{name: getattr(one, name).to(device) for name in WHITENING})
        return replace(self, network=self.network.to(device), whitening=moved)

    def check_model(self, G: "Generator") -> None:
        """Raise InputError if the generator's codes are not those of the flow."""
        if self.network.width != G.w_dim:
            raise InputError(
                f"The flow {self.name} is for codes of {self.network.width} values, and w of the model '{G.name}' "
                f"has {G.w_dim}."
            )
        if self.latent_space and self.latent_space != G.latent_space:
            raise InputError(
                f"The flow {self.name} belongs to the latent space {self.latent_space}, but the model '{G.name}' "
                f"has {G.latent_space}; use a flow trained on that model."
            )

    def change(self, ws: "Tensor", before: "Tensor", after: "Tensor", rows: Sequence[int]) -> "Tensor":
        """Codes with other attributes.

        Args:
            ws: ``[N, num_ws, w_dim]``; not changed.
            before, after: the attributes in their own units, ``[N, attributes]``.
            rows: of ws to move.

        Returns:
            ws ``[N, num_ws, w_dim]``.
        """
        import torch

        chosen = list(rows)
        x = ws[:, chosen].flatten(0, 1).float()
        x = x if self.whitening is None else self.whitening.whiten(x)
        first, second = (
            self._standardised(values.to(x)).repeat_interleave(len(chosen), dim=0) for values in (before, after)
        )
        with torch.no_grad():
            x = self.network(self.network(x, first)[0], second, reverse=True)[0]
        moved = ws.clone()
        x = x if self.whitening is None else self.whitening.unwhiten(x)
        moved[:, chosen] = x.view(len(ws), len(chosen), -1).to(ws.dtype)
        return moved

    def save(self, path: Path, overwrite: bool = False) -> None:
        """Write one safetensors file, which ``load_flow`` reads.

        Raises:
            InputError: the file exists and may not be replaced, or cannot be written.
        """
        from safetensors.torch import save

        header = FlowHeader(
            self.attributes,
            self.latent_space,
            self.scorer,
            tuple(self.network.hidden),
            len(self.network.velocities),
            dict(self.provenance),
        )
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        if self.whitening is not None:
            tensors |= {f"whitening.{name}": getattr(self.whitening, name) for name in WHITENING}
        contents = {name: value.detach().cpu().float().contiguous() for name, value in tensors.items()}
        with atomic_path(Path(path), overwrite=overwrite) as temporary:
            temporary.write_bytes(save(contents, metadata={KEY: json.dumps(asdict(header))}))

    def _standardised(self, values: "Tensor") -> "Tensor":
        mean, deviation = (
            values.new_tensor([getattr(one, name) for one in self.attributes]) for name in ("mean", "deviation")
        )
        return (values - mean) / deviation


@dataclass(frozen=True)
class FlowHeader:
    """What a file says of its flow; see ``AttributeFlow``."""

    __pydantic_config__: ClassVar[Any] = {"strict": True, "extra": "forbid", "allow_inf_nan": False}
    attributes: Annotated[tuple[FlowAttribute, ...], MaxLen(1000)]
    latent_space: Annotated[str, MaxLen(1024)]
    scorer: Annotated[str, MaxLen(1024)]
    hidden: Annotated[tuple[Annotated[int, Gt(0)], ...], MaxLen(64)]
    blocks: Annotated[int, Gt(0), Le(64)]
    provenance: dict[str, Any]


@dataclass(frozen=True, eq=False)
class FlowEdit:
    """Attributes of codes set one after another, each from what the edit left; an edit as ``apply_edits`` takes.

    Args:
        flow: the flow, on the codes' device.
        G: the generator of the codes.
        before: the codes' attributes in their own units, ``[1, attributes]``.
        wanted: names and values to reach, in the order of the edits.

    Raises:
        InputError: the flow belongs to another model, an attribute is unknown, or a value is out of range.
    """

    flow: AttributeFlow
    G: "Generator"
    before: "Tensor"
    wanted: tuple[tuple[str, float], ...]

    def __post_init__(self) -> None:
        self.flow.check_model(self.G)
        for name, value in self.wanted:
            self.flow.check_value(name, value)

    @property
    def name(self) -> str:
        """What the edit is called in titles and messages."""
        return ", ".join(f"{name}={value:g}" for name, value in self.wanted)

    def apply(
        self,
        ws: "Tensor",
        strength: float,
        *,
        rows: Sequence[int] | None = None,
        raw: bool = False,  # noqa: ARG002 - as directions take
    ) -> "Tensor":
        """Move codes ``[N, num_ws, w_dim]`` by a share of the way to the values.

        Args:
            ws: of the generator.
            strength: the share; 1 reaches the values.
            rows: of ws to move; None for those of each attribute.
            raw: has no meaning here.
        """
        for index, before, after in self._steps(strength):
            chosen = self.flow.attributes[index].rows(self.G) if rows is None else rows
            ws = self.flow.change(ws, before.expand(len(ws), -1), after.expand(len(ws), -1), chosen)
        return ws

    def _steps(self, strength: float) -> "Iterator[tuple[int, Tensor, Tensor]]":
        """The attribute of each step, and all attributes before and after it."""
        now = self.before
        for name, value in self.wanted:
            index = self.flow.index(name)
            after = now.clone()
            after[:, index] += strength * self.flow.attributes[index].gain * (value - now[:, index])
            if not bool((after == now).all()):
                yield index, now, after
            now = after
