"""Trains a flow on codes and their attributes by maximum likelihood (StyleFlow: Abdal et al. 2021, section 4)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor

from stylegan_latents.editing.nonlinear.flow_network import ConditionedLinear, FlowNetwork, Normalisation, Velocity
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from stylegan_latents.generator.cli.progress import Progress

HIDDEN = (256, 256, 256)
"""Widths of the hidden layers; with more, a flow of a few thousand samples does no better on held-out ones."""

EPOCHS = 30
_STEPS, _BATCH, _RATE, _DECAY = 4, 64, 3e-3, 1e-2
_HELD_OUT = 10  # every tenth sample tests the flow
_PATIENCE = 3


@dataclass(frozen=True)
class Trained:
    """A trained flow and how well it fits.

    Attributes:
        network: as it was when it fitted the held-out samples best.
        epochs: that it was then trained for.
        loss: the held-out samples' mean negative log likelihood for each value of a code, in nats.
        loss_linear: that of the untrained network, a normal distribution about a linear regression.
    """

    network: FlowNetwork
    epochs: int
    loss: float
    loss_linear: float


def train(
    codes: Tensor,
    attributes: Tensor,
    *,
    hidden: tuple[int, ...] = HIDDEN,
    epochs: int = EPOCHS,
    seed: int = 0,
    progress: "Progress | None" = None,
) -> Trained:
    """Train a flow, with Adam, until held-out samples get less likely.

    Args:
        codes: ``[N, width]``, best whitened.
        attributes: standardised, ``[N, attributes]``.
        hidden: widths of the hidden layers.
        epochs: the most times that every sample is shown.
        seed: of the weights, the order and the noise.
        progress: called with the number of epochs done and the most.

    Raises:
        InputError: the loss is not finite.
    """
    with torch.random.fork_rng(), torch.enable_grad():
        torch.manual_seed(seed)
        network = FlowNetwork(codes.shape[1], attributes.shape[1], hidden)
        network.to(codes.device)
        test = torch.arange(len(codes), device=codes.device) % _HELD_OUT == 0
        held_out, shown = (codes[test], attributes[test]), (codes[~test], attributes[~test])
        _begin_linear(network, *shown)
        noise = _signs(held_out[0])

        def held_out_loss() -> float:
            with torch.no_grad():
                return float(_loss(network, *held_out, noise))

        before = best = held_out_loss()
        kept, epochs_kept, worse = _copy(network), 0, 0
        batches = max(1, len(shown[0]) // _BATCH)
        optimizer = torch.optim.AdamW(network.parameters(), weight_decay=_DECAY)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=epochs * batches)
        for epoch in range(epochs):
            for rows in torch.randperm(len(shown[0]), device=codes.device).tensor_split(batches):
                optimizer.zero_grad()
                _loss(network, shown[0][rows], shown[1][rows]).backward()  # type: ignore[no-untyped-call]
                torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                optimizer.step()
                schedule.step()
            loss = held_out_loss()
            if not loss < float("inf"):
                raise InputError("The flow's training diverged; take more samples or fewer scores.")
            worse = 0 if loss < best else worse + 1
            if loss < best:
                kept, best, epochs_kept = _copy(network), loss, epoch + 1
            if progress is not None:
                progress(epochs if worse == _PATIENCE else epoch + 1, epochs)
            if worse == _PATIENCE:
                break
        network.load_state_dict(kept)
        return Trained(network.eval().requires_grad_(False), epochs_kept, best, before)


def _begin_linear(network: FlowNetwork, codes: Tensor, attributes: Tensor) -> None:
    """Make the network the normal distribution about the linear regression of the codes on the attributes.

    So training adds what is not linear, which a few thousand samples would not teach from nothing.
    """
    first, last = (cast("Normalisation", network.normalisations[place]) for place in (0, -1))
    velocity = cast("Velocity", network.velocities[0])
    layer = cast("ConditionedLinear", velocity.layers[-1])
    with torch.no_grad():
        first.mean.copy_(codes.mean(dim=0))
        first.variance.copy_(codes.var(dim=0))
        x, _ = first(codes, reverse=False)
        slope = torch.linalg.lstsq(attributes, x).solution
        for value in (layer.linear.weight, layer.linear.bias, layer.shift.weight):
            torch.nn.init.zeros_(value)
        layer.shift.weight[:, 1:] = -slope.T  # the first column is the time's
        last.log_scale.copy_(-(x - attributes @ slope).std(dim=0).log())


def _loss(network: FlowNetwork, codes: Tensor, attributes: Tensor, noise: Tensor | None = None) -> Tensor:
    """The mean negative log likelihood for each value, without its constant."""
    noise = _signs(codes) if noise is None else noise
    normal, volume = network(codes, attributes, steps=_STEPS, noise=noise)
    loss: Tensor = (normal.square().sum(dim=1) / 2 - volume).mean() / codes.shape[1]
    return loss


def _signs(like: Tensor) -> Tensor:
    """Random signs, of which Hutchinson's estimate has its least variance."""
    return torch.randint(2, like.shape, device=like.device).to(like) * 2 - 1


def _copy(network: FlowNetwork) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}
