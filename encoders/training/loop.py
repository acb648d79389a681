"""The training of an encoder for a generator of any domain; its command line is ``stylegan-latents train``."""

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from stylegan_latents.encoders.encoder import Encoder, draw_at
from stylegan_latents.encoders.networks.psp import Encoder4Editing
from stylegan_latents.encoders.restyle import ReStyle, draw_input
from stylegan_latents.encoders.training.data import Examples, Source, degrade, labels_of
from stylegan_latents.encoders.training.losses import (
    LatentCritic,
    Measure,
    critic_loss,
    encoder_loss,
    reconstruction,
    regularizers,
)
from stylegan_latents.encoders.training.settings import TrainingSettings
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.perceptual import area_resize
from stylegan_latents.generator.statistics import WStatistics

if TYPE_CHECKING:
    from accelerate import Accelerator

_R1, _R1_EVERY = 10.0, 16


class Training:
    """The training of an encoder, step by step, resumable from ``tensors`` after any step.

    Args:
        encoder: trained in place.
        G: its generator, which stays unchanged.
        source: the examples.
        settings: see ``TrainingSettings``.
        measures: by name, the weight and function of each image distance besides the mean squared error, such as
            LPIPS or an identity loss.
        accelerator: of Hugging Face's accelerate, for devices and precision; None for one of this machine.

    Raises:
        InputError: the encoder belongs to another generator, or accelerate is not installed.
    """

    def __init__(
        self,
        encoder: Encoder,
        G: Generator,
        source: Source,
        settings: TrainingSettings,
        measures: Mapping[str, tuple[float, Measure]],
        accelerator: "Accelerator | None" = None,
    ) -> None:
        encoder.check_generator(G)
        self.accelerator = accelerator or new_accelerator()
        device = self.accelerator.device
        self.G, self.encoder, self.source = G.to(device), encoder.to(device), source
        self.settings = settings
        self.measures = dict(measures)
        self.statistics = WStatistics.of(G, seed=0)
        self.critic: LatentCritic | None = None
        self._adam = torch.optim.Adam(encoder.network.parameters(), lr=settings.learning_rate, betas=(0.9, 0.999))
        self._network, self._adam = self.accelerator.prepare(encoder, self._adam)
        if settings.adversarial_weight:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(settings.seed)
                self.critic = LatentCritic(G.w_dim)
            self._critic_adam = torch.optim.Adam(
                self.critic.parameters(), lr=settings.critic_learning_rate, betas=(0.0, 0.99)
            )
            self._prepared_critic, self._critic_adam = self.accelerator.prepare(self.critic, self._critic_adam)
        self.steps_done = 0

    def _numbers(self, step: int) -> range:
        """The numbers of this process's examples in a step."""
        batch, processes = self.settings.batch, int(self.accelerator.num_processes)
        start = (step * processes + int(self.accelerator.process_index)) * batch
        return range(start, start + batch)

    def step(self) -> dict[str, float]:
        """Train on the next examples.

        Returns:
            The unweighted terms of the loss (a ReStyle's last pass's), and ``loss``, their weighted sum.

        Raises:
            InputError: the loss is not finite; the encoder is unchanged by this step.
        """
        step, settings = self.steps_done, self.settings
        network = self.encoder.network
        if isinstance(network, Encoder4Editing):
            network.set_stage(settings.stage_at(step, self.G.num_ws))
        for group in self._adam.param_groups:
            group["lr"] = settings.rate_at(step)
        numbers = self._numbers(step)
        examples = self.source(numbers)
        self.encoder.train()
        self._adam.zero_grad()
        kept = {name: buffer.clone() for name, buffer in network.named_buffers()}
        terms: dict[str, Tensor] = {}
        ws = examples.ws
        for ws, drawn in self._passes(examples, numbers.start):
            terms = self._terms(examples, ws, drawn)
            loss = self._weighted(terms)
            if not math.isfinite(float(loss.detach())):
                self._adam.zero_grad()
                for name, buffer in network.named_buffers():
                    buffer.copy_(kept[name])
                self.encoder.eval()
                raise InputError(
                    f"The training diverged at step {step}; run the same command with a lower --learning-rate to "
                    "resume from its last save."
                )
            self.accelerator.backward(loss)
        self._adam.step()
        self.encoder.eval()
        values = {name: float(value.detach()) for name, value in terms.items()}
        values["loss"] = float(self._weighted(terms).detach())
        if self.critic is not None:
            values["critic"] = self._train_critic(numbers, ws.detach())
        self.steps_done = step + 1
        return values

    def _passes(self, examples: Examples, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
        """The codes and their images: once, or for each pass of a ReStyle, which are trained one by one."""
        encoder = self.encoder
        images = degrade(examples.images, seed) if self.settings.degrade else examples.images
        images = encoder.fit(images)
        before = encoder.ws_avg.unsqueeze(0)
        for _ in range(encoder.iterations):
            inputs = images
            if encoder.config.is_restyle:
                with torch.no_grad():
                    inputs = torch.cat([images, draw_input(encoder, self.G, before).expand_as(images)], dim=1)
            ws = before + self._network(inputs).float()
            yield ws, draw_at(self.G, ws, self.settings.loss_size)
            before = ws.detach()

    def _terms(self, examples: Examples, ws: Tensor, drawn: Tensor) -> dict[str, Tensor]:
        measures = {name: measure for name, (_, measure) in self.measures.items()}
        terms = reconstruction(drawn, examples.images, self.settings.loss_size, measures)
        terms |= regularizers(ws, examples.ws, self.statistics)
        if self.critic is not None:  # the gradient is for the codes alone
            self.critic.requires_grad_(False)
            terms["adversarial"] = encoder_loss(self.critic, ws)
            self.critic.requires_grad_(True)
        return terms

    def _weighted(self, terms: Mapping[str, Tensor]) -> Tensor:
        settings = self.settings
        weights = {
            "pixels": settings.pixel_weight,
            "code": settings.code_weight,
            "w": settings.w_weight,
            "delta": settings.delta_weight,
            "adversarial": settings.adversarial_weight,
        } | {name: weight for name, (weight, _) in self.measures.items()}
        return torch.stack([weights[name] * value for name, value in terms.items()]).sum()

    def _train_critic(self, numbers: range, ws: Tensor) -> float:
        real = self.G.sample([-1 - number for number in numbers], labels_of(self.G, numbers))[:, 0]
        self._critic_adam.zero_grad()
        penalty = _R1 if self.steps_done % _R1_EVERY == 0 else 0.0
        loss = critic_loss(self._prepared_critic, real, ws.flatten(0, 1), penalty)
        self.accelerator.backward(loss)
        self._critic_adam.step()
        return float(loss.detach())

    @torch.no_grad()
    def pictures(self, count: int = 4) -> Tensor:
        """The first examples above their reconstructions, ``[3, 2 * S, count * S]`` in [-1, 1]."""
        targets = self.source(range(count)).images
        encoder = ReStyle(self.encoder, self.G) if self.encoder.config.is_restyle else self.encoder
        size = self.settings.loss_size
        rows = area_resize(targets, size), draw_at(self.G, encoder.encode(targets), size)
        return torch.cat([torch.cat(list(row), dim=2) for row in rows], dim=1).clamp(-1, 1)

    def tensors(self) -> dict[str, Tensor]:
        """The state for ``resume``, besides the settings and ``steps_done``; copies on the CPU."""
        found = {f"encoder.{name}": value for name, value in self.encoder.state_dict().items()}
        found |= _adam_tensors("adam", self._adam)
        if self.critic is not None:
            found |= {f"critic.{name}": value for name, value in self.critic.state_dict().items()}
            found |= _adam_tensors("critic_adam", self._critic_adam)
        return {name: value.detach().cpu().clone().contiguous() for name, value in found.items()}

    def resume(self, tensors: Mapping[str, Tensor], steps_done: int) -> None:
        """Restore what ``tensors`` gave after ``steps_done`` steps; fails with tensors of another training."""
        self.encoder.load_state_dict(_part(tensors, "encoder"))
        _fill_adam(self._adam, _part(tensors, "adam"))
        if self.critic is not None:
            self.critic.load_state_dict(_part(tensors, "critic"))
            _fill_adam(self._critic_adam, _part(tensors, "critic_adam"))
        self.steps_done = steps_done
        if isinstance(self.encoder.network, Encoder4Editing):
            self.encoder.network.set_stage(self.settings.stage_at(max(0, steps_done - 1), self.G.num_ws))


def new_accelerator(*, cpu: bool = False, bfloat16: bool = False) -> "Accelerator":
    """An accelerator for this machine, on the CPU only if ``cpu``; an InputError if accelerate is not installed."""
    try:
        from accelerate import Accelerator, DistributedDataParallelKwargs
    except ImportError as error:
        raise InputError("Training needs accelerate: pip install 'stylegan-latents[train]'.") from error
    # Some heads of e4e are unused in its first steps.
    unused = DistributedDataParallelKwargs(find_unused_parameters=True)
    return Accelerator(cpu=cpu, mixed_precision="bf16" if bfloat16 else "no", kwargs_handlers=[unused])


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    start = f"{prefix}."
    return {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}


def _adam_tensors(prefix: str, adam: torch.optim.Optimizer) -> dict[str, Tensor]:
    state = adam.state_dict()["state"]
    return {f"{prefix}.{i}.{name}": value for i, values in state.items() for name, value in values.items()}


def _fill_adam(adam: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, _, key = name.partition(".")
        state.setdefault(int(index), {})[key] = value
    adam.load_state_dict(adam.state_dict() | {"state": state})
