import dataclasses
import errno
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from stylegan_latents.encoders.networks.psp import Encoder4Editing
from stylegan_latents.encoders.training.data import AlignedImages, GeneratorSamples, Mixed
from stylegan_latents.encoders.training.loop import Training, new_accelerator
from stylegan_latents.encoders.training.run import ENCODER, LOGS, SAMPLES, STATE, TrainingRun
from stylegan_latents.encoders.training.settings import TrainingSettings
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from tests.encoders.small_encoders import small_encoder
from tests.odd_models import odd_config, odd_generator

SETTINGS = TrainingSettings(
    steps=30, batch=4, learning_rate=3e-3, warm_up=1, code_weight=0.3, loss_size=32, degrade=False
)


@pytest.fixture(name="G", scope="module")
def _generator() -> Generator:
    return odd_generator(odd_config(w_dim=8, z_dim=8, channels=(8, 8, 8)))


def _absolute(ours: Tensor, theirs: Tensor) -> Tensor:
    return (ours - theirs).abs().mean(dim=(1, 2, 3))


def _training(G: Generator, architecture: str = "plain", *, restyle: bool = False, **changes: object) -> Training:
    settings = dataclasses.replace(SETTINGS, **changes)  # type: ignore[arg-type]
    encoder = small_encoder(G, architecture, restyle=restyle)  # type: ignore[arg-type]
    if restyle:
        encoder.iterations = 2
    source = GeneratorSamples(G, 32)
    return Training(encoder, G, source, settings, {"absolute": (0.5, _absolute)}, new_accelerator(cpu=True))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("architecture", "restyle"), [("plain", False), ("plain", True), ("psp", False), ("e4e", False), ("e4e", True)]
)
def test_the_loss_falls(G: Generator, architecture: str, restyle: bool) -> None:
    training = _training(G, architecture, restyle=restyle, steps=24)
    losses = [training.step()["loss"] for _ in range(24)]
    assert sum(losses[-4:]) < 0.9 * sum(losses[:4])
    codes = training.source(range(100, 102))
    assert training.pictures(2).shape == (3, 64, 64)
    assert len(codes.ws) == 2
    assert not training.encoder.training


def _same(one: dict[str, Tensor], two: dict[str, Tensor]) -> bool:
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize(("architecture", "adversarial", "restyle"), [("e4e", 0.1, False), ("plain", 0.0, True)])
def test_going_on_is_exact(
    G: Generator, tmp_path: Path, architecture: str, adversarial: float, restyle: bool
) -> None:
    def new() -> Training:
        return _training(
            G, architecture, restyle=restyle, steps=6, adversarial_weight=adversarial, first_delta_step=2,
            delta_every=2, degrade=True,
        )  # fmt: skip

    whole = new()
    told = [whole.step() for _ in range(6)]
    stopped = new()
    TrainingRun(stopped, tmp_path / "run", {})
    with pytest.raises(KeyboardInterrupt):
        TrainingRun(stopped, tmp_path / "run", {}, show_every=100).run(_interrupt_after(3))
    assert stopped.steps_done == 3
    again = new()
    run = TrainingRun(again, tmp_path / "run", {}, show_every=100)
    assert again.steps_done == 3
    seen: list[dict[str, float]] = []
    run.run(lambda _done, terms: seen.append(terms))
    assert seen == told[3:]
    assert _same(again.tensors(), whole.tensors())


def _interrupt_after(steps: int) -> object:
    import signal

    def on_step(done: int, _terms: dict[str, float]) -> None:
        if done == steps:
            signal.raise_signal(signal.SIGINT)

    return on_step


def test_what_a_run_writes(G: Generator, tmp_path: Path) -> None:
    from stylegan_latents import encoders

    training = _training(G, steps=4)
    TrainingRun(training, tmp_path, {}, show_every=2, log_every=1).run()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted((ENCODER, STATE, LOGS, SAMPLES))
    assert sorted(path.name for path in (tmp_path / SAMPLES).iterdir()) == [
        "0000001.png",
        "0000002.png",
        "0000004.png",
    ]
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    curves = EventAccumulator(str(tmp_path / LOGS)).Reload()
    assert {"loss", "pixels", "absolute", "code", "w", "delta"} <= set(curves.Tags()["scalars"])
    assert [point.step for point in curves.Scalars("loss")] == [1, 2, 3, 4]
    images = training.source(range(3)).images
    loaded = encoders.load(tmp_path / ENCODER, G)
    assert torch.equal(loaded.encode(images), training.encoder.encode(images))


def test_another_training_in_the_folder_is_refused(G: Generator, tmp_path: Path) -> None:
    run = TrainingRun(_training(G, steps=1), tmp_path, {"images": None}, show_every=9)
    run.run()
    TrainingRun(_training(G, steps=2), tmp_path, {"images": None})
    with pytest.raises(InputError, match="with batch 4, not 2"):
        TrainingRun(_training(G, steps=1, batch=2), tmp_path, {"images": None})
    with pytest.raises(InputError, match="with images None, not here"):
        TrainingRun(_training(G, steps=1), tmp_path, {"images": "here"})
    (tmp_path / STATE).write_bytes((tmp_path / STATE).read_bytes()[:-9])
    with pytest.raises(InputError, match="is damaged"):
        TrainingRun(_training(G, steps=1), tmp_path, {"images": None})


def _diverges(ours: Tensor, _theirs: Tensor) -> Tensor:
    return ours.mean(dim=(1, 2, 3)) * torch.nan


def test_divergence_is_said_and_undone(G: Generator) -> None:
    training = _training(G, "psp", steps=4)
    training.step()
    before = training.tensors()
    training.measures = {"bad": (1.0, _diverges)}
    with pytest.raises(InputError, match="diverged at step 1"):
        training.step()
    assert _same(training.tensors(), before)
    assert training.steps_done == 1


def test_divergence_leaves_a_save_that_goes_on(G: Generator, tmp_path: Path) -> None:
    training = _training(G, steps=6)

    def on_step(done: int, _terms: dict[str, float]) -> None:
        if done == 3:
            training.measures["absolute"] = (0.5, _diverges)

    with pytest.raises(InputError, match=r"diverged at step 3; .* lower --learning-rate"):
        TrainingRun(training, tmp_path, {}, save_every=2, show_every=100).run(on_step)
    again = _training(G, steps=6, learning_rate=1e-4)
    run = TrainingRun(again, tmp_path, {}, show_every=100)
    assert again.steps_done == 2
    run.run()
    assert again.steps_done == 6


def test_what_a_killed_run_leaves_is_used_and_cleared(G: Generator, tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    def on_step(_done: int, _terms: dict[str, float]) -> None:
        raise Killed

    training = _training(G, steps=2)
    with pytest.raises(Killed):
        TrainingRun(training, tmp_path, {}, show_every=100).run(on_step)
    half = tmp_path / ".training.abc.part.safetensors"
    half.write_bytes(b"half")
    again = _training(G, steps=2)
    TrainingRun(again, tmp_path, {}, show_every=100).run()
    assert not half.exists()
    whole = _training(G, steps=2)
    whole.step()
    whole.step()
    assert _same(again.tensors(), whole.tensors())


def test_a_full_disk_is_said(G: Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from stylegan_latents.generator.cli.command import is_disk_full

    run = TrainingRun(_training(G, steps=1), tmp_path, {}, show_every=100)

    def full(_path: Path, _content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match="No space left") as raised:
        run.run()
    assert is_disk_full(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_the_stages_of_e4e(G: Generator) -> None:
    settings = TrainingSettings(first_delta_step=10, delta_every=5)
    assert [settings.stage_at(step, 6) for step in (0, 9, 10, 14, 15, 29, 30, 99)] == [0, 0, 1, 1, 2, 4, 5, 5]
    assert TrainingSettings().stage_at(0, 6) == 5
    training = _training(G, "e4e", first_delta_step=2, delta_every=1)
    network = training.encoder.network
    assert isinstance(network, Encoder4Editing)
    training.step()
    images = training.source(range(2)).images
    assert torch.equal(*(training.encoder.encode(images)[:, row] for row in (0, 3)))


def test_a_critic_learns_to_tell(G: Generator) -> None:
    training = _training(G, adversarial_weight=0.1, critic_learning_rate=3e-3)
    losses = [training.step()["critic"] for _ in range(20)]
    assert sum(losses[-4:]) < sum(losses[1:5])


def test_the_rate_rises_and_falls() -> None:
    settings = TrainingSettings(steps=90, warm_up=10, learning_rate=1.0)
    assert settings.rate_at(0) == pytest.approx(0.1)
    assert settings.rate_at(30) == 1
    assert settings.rate_at(75) == pytest.approx(0.5)
    assert settings.rate_at(90) == 0


def _pictures(folder: Path, count: int) -> Path:
    folder.mkdir()
    for i in range(count):
        Image.new("RGB", (40, 30), (i * 20, 0, 0)).save(folder / f"{i}.png")
    return folder


def test_a_folder_is_shuffled_in_every_round(G: Generator, tmp_path: Path) -> None:
    source = AlignedImages(G, _pictures(tmp_path / "a", 5), 16, mirror=False)
    first, second = (source(range(start, start + 5)).images[:, 0, 0, 0] for start in (0, 5))
    assert torch.equal(first.sort().values, second.sort().values)
    assert not torch.equal(first, second)
    assert torch.equal(source(range(3, 7)).images[:, 0, 0, 0], torch.cat([first, second])[3:7])


def test_half_of_each(G: Generator, tmp_path: Path) -> None:
    pictures = AlignedImages(G, _pictures(tmp_path / "a", 2), 32)
    examples = Mixed(GeneratorSamples(G, 32), pictures)(range(8, 13))
    assert examples.images.shape == (5, 3, 32, 32)
    assert examples.ws.shape == (3, G.num_ws, G.w_dim)
    assert torch.equal(examples.images[:3], G.synthesize(examples.ws).clamp(-1, 1))


def test_a_folder_that_is_of_no_use(G: Generator, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no folder"):
        AlignedImages(G, tmp_path / "missing", 16)
    with pytest.raises(InputError, match="holds no pictures"):
        AlignedImages(G, tmp_path, 16)
    (tmp_path / "bad.png").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"bad\.png; remove it"):
        AlignedImages(G, tmp_path, 16)(range(1))


@pytest.mark.parametrize(
    ("setting", "value"),
    [("learning_rate", 0.0), ("w_weight", -1.0), ("pixel_weight", float("nan")), ("steps", -1)],
)
def test_settings_out_of_range(setting: str, value: float) -> None:
    with pytest.raises(InputError, match=r"ha(s|ve) to be"):
        TrainingSettings(**{setting: value})  # type: ignore[arg-type]
