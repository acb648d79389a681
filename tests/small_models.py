"""Random generators of 32 pixels that are made in milliseconds, and stand-ins for slow parts."""

import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor

from stylegan_latents.generator.formats.native import save_native
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.networks.mobile import Mapping, MobileConfig, Synthesis
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


@dataclass(frozen=True)
class FakeProgress:
    step: int
    steps: int
    loss: float
    images: Tensor


class FakeInverter:
    """Finds nothing, in the manner of ``OptimizationInverter``.

    Attributes:
        interrupt_at: the step at which the user presses Ctrl-C.
    """

    method = "optimize"
    interrupt_at: int | None = None

    def __init__(self, G: Generator, space: str = "w+", *, steps: int | None = None, seed: int = 0, **_: object):
        self.G, self.space, self.steps, self.seed = G, space, steps or 3, seed

    def invert(
        self,
        images: Tensor,
        *,
        on_step: Callable[[FakeProgress], None] | None = None,
        keep_partial: bool = False,
        resemblance: object = None,  # noqa: ARG002 - it finds nothing anyway
    ) -> Inversion:
        ws = self.G.sample([self.seed] * len(images))
        settings: dict[str, object] = {"space": self.space, "steps": self.steps, "seed": self.seed}
        try:
            for step in range(1, self.steps + 1):
                if step == type(self).interrupt_at:
                    raise KeyboardInterrupt
                if on_step is not None:
                    on_step(FakeProgress(step, self.steps, 1 / step, self.G.synthesize(ws, size=32)))
        except KeyboardInterrupt:
            if not keep_partial:
                raise
            settings["stopped_at_step"] = step - 1
        return small_record(self.G, settings=settings, metrics={}, ws=ws)


def use_fake_inverter(monkeypatch: pytest.MonkeyPatch) -> type[FakeInverter]:
    """Put ``FakeInverter`` and metrics without networks in place of the real ones."""
    optimize, metrics = (
        types.ModuleType("stylegan_latents.invert.inverters.optimize"),
        types.ModuleType("stylegan_latents.invert.record.metrics"),
    )
    inverter = type("Inverter", (FakeInverter,), {})
    optimize.OptimizationInverter = inverter  # type: ignore[attr-defined]
    metrics.measure = lambda _G, ws, _images, **_options: {  # type: ignore[attr-defined]
        "lpips_alex": [0.05] * len(ws),
        "psnr": [20.0] * len(ws),
    }
    monkeypatch.setitem(sys.modules, "stylegan_latents.invert.inverters.optimize", optimize)
    monkeypatch.setitem(sys.modules, "stylegan_latents.invert.record.metrics", metrics)
    return inverter
