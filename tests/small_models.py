"""Random generators of 32 pixels that are made in milliseconds, and stand-ins for slow parts."""

from collections.abc import Callable
from pathlib import Path
from typing import Self

import pytest
import torch
from torch import Tensor

from stylegan_latents.generator.formats.native import save_native
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.generator.networks.mobile import Mapping, MobileConfig, Synthesis
from stylegan_latents.invert.inverters import optimize
from stylegan_latents.invert.inverters.base import Inverter, Progress
from stylegan_latents.invert.inverters.options import InverterOptions
from stylegan_latents.invert.record import metrics
from stylegan_latents.invert.record.inversion import Inversion

CONFIG = MobileConfig(z_dim=8, w_dim=8, mapping_depth=2, channels=(8, 8, 8))


def small_generator(seed: int = 0, *, name: str = "small", latent_space: str | None = None) -> Generator:
    """A MobileStyleGAN with random weights: 32 pixels, 6 rows of 8 values."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        mapping, synthesis = Mapping(CONFIG), Synthesis(CONFIG)
    return Generator(
        mapping,
        synthesis,
        torch.zeros(CONFIG.w_dim),
        name=name,
        latent_space=latent_space,
        z_dim=CONFIG.z_dim,
    )


def small_record(G: Generator, count: int = 1, **changes: object) -> Inversion:
    """A record of the codes of the first seeds."""
    values: dict[str, object] = {
        "ws": G.sample(range(count)),
        "model": G.name,
        "fingerprint": G.fingerprint,
        "latent_space": G.latent_space,
        "method": "optimize",
        "settings": {"steps": 3, "space": "w+"},
        "metrics": {"lpips_alex": [0.1 * (i + 1) for i in range(count)]},
    }
    return Inversion(**(values | changes))  # type: ignore[arg-type]


def save_small_model(folder: Path, **options: str) -> Path:
    """A small generator's file."""
    path = folder / "small.safetensors"
    save_native(small_generator(**options), path)  # type: ignore[arg-type]
    return path


class FakeInverter(Inverter):
    """Finds nothing, in the manner of ``OptimizationInverter``.

    Attributes:
        interrupt_at: the step at which the user presses Ctrl-C.
    """

    method = "optimize"
    interrupt_at: int | None = None

    def __init__(self, G: Generator, options: InverterOptions) -> None:
        self.G, self.space, self.steps, self.seed = G, options.space, options.steps or 3, options.seed

    @classmethod
    def from_options(cls, G: Generator, options: InverterOptions, _pivot: Inverter | None) -> Self:
        return cls(G, options)

    def settings(self) -> dict[str, JSON]:
        return {"space": self.space, "steps": self.steps, "seed": self.seed}

    def invert(
        self,
        images: Tensor,
        *,
        on_step: Callable[[Progress], None] | None = None,
        keep_partial: bool = False,
        **_: object,  # it finds nothing anyway
    ) -> Inversion:
        ws = self.G.sample([self.seed] * len(images))
        settings = self.settings()
        try:
            for step in range(1, self.steps + 1):
                if step == type(self).interrupt_at:
                    raise KeyboardInterrupt
                if on_step is not None:
                    on_step(Progress(step, self.steps, 1 / step, self.G.synthesize(ws, size=32)))
        except KeyboardInterrupt:
            if not keep_partial:
                raise
            settings["stopped_at_step"] = step - 1
        return small_record(self.G, settings=settings, metrics={}, ws=ws)


def use_fake_inverter(monkeypatch: pytest.MonkeyPatch) -> type[FakeInverter]:
    """Put ``FakeInverter`` and metrics without networks in place of the real ones."""
    inverter = type("Inverter", (FakeInverter,), {})
    monkeypatch.setattr(optimize, "OptimizationInverter", inverter)
    monkeypatch.setattr(
        metrics, "measure", lambda _G, ws, _images, **_: {"lpips_alex": [0.05] * len(ws), "psnr": [20.0] * len(ws)}
    )
    return inverter
