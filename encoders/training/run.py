"""The folder of a training: checkpoints, curves and sample images, and resuming after a stop."""

import contextlib
import json
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
from annotated_types import Interval
from safetensors.torch import save
from torch import Tensor

from stylegan_latents.encoders.formats.native import save_encoder
from stylegan_latents.encoders.training.loop import Training
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import atomic_path, utf8_path
from stylegan_latents.generator.ops.memory import keep_freed_memory
from stylegan_latents.generator.reading.files import DamagedFileError, refusing_damage
from stylegan_latents.generator.reading.headers import OPEN, validated_value
from stylegan_latents.generator.reading.tensor_file import TensorFile

ENCODER, STATE, LOGS, SAMPLES = "encoder.safetensors", "training.safetensors", "logs", "samples"
_KEY, _FORMAT = "stylegan-latents", 1


@dataclass(frozen=True)
class StateHeader:
    """What the file of a training's state says of it: steps that are done, and what the training depends on."""

    steps_done: Annotated[int, Interval(ge=0, le=10**12)]
    about: dict[str, Any]

    __pydantic_config__ = OPEN


class TrainingRun:
    """Trains into a folder: ``encoder.safetensors``, ``training.safetensors`` to resume from, ``logs/`` for
    TensorBoard and ``samples/`` with images.

    Args:
        training: of a new encoder, or of one to train further.
        folder: for the files; a training that it holds is resumed, with the result of an unbroken run if all
            settings are equal; only the number of steps and the learning rate may differ.
        about: what else the training depends on, such as its folder of images; it has to be equal to resume.
        save_every, show_every, log_every: steps between saves, images, and points of the curves.

    Raises:
        InputError: the folder holds another training, or a damaged one.
    """

    def __init__(
        self,
        training: Training,
        folder: Path,
        about: dict[str, Any],
        *,
        save_every: int = 1000,
        show_every: int = 1000,
        log_every: int = 10,
    ) -> None:
        self.training, self.folder = training, folder
        self.save_every, self.show_every, self.log_every = save_every, show_every, log_every
        self._about = json.loads(
            json.dumps(
                {
                    **about,
                    "config": asdict(training.encoder.config),
                    "fingerprint": training.G.fingerprint,
                    "measures": {name: weight for name, (weight, _) in training.measures.items()},
                    "processes": int(training.accelerator.num_processes),
                    **asdict(training.settings),
                }
            )
        )
        if (folder / STATE).exists():
            self._resume()

    def run(self, on_step: Callable[[int, dict[str, float]], None] | None = None) -> None:
        """Train to the last step, and call ``on_step`` after each with the number of steps done and the terms.

        Ctrl-C ends it after a step, which is saved, with KeyboardInterrupt; divergence, with InputError, keeps the
        last save.
        """
        training = self.training
        self._begin()
        with self._writer() as write, _delayed_interrupt() as interrupted, keep_freed_memory():
            while training.steps_done < training.settings.steps and not interrupted:
                # A diverged state is not saved, as resuming from it would diverge again.
                terms = training.step()
                done = training.steps_done
                if done % self.log_every == 0 or done == 1:
                    write(terms, done)
                if on_step is not None:
                    on_step(done, terms)
                if done % self.show_every == 0 or done == 1:
                    self._show(done)
                if done % self.save_every == 0 and done < training.settings.steps:
                    self.save()
            self.save()
        if interrupted:
            raise KeyboardInterrupt

    def _begin(self) -> None:
        """Remove half-written files of a killed run, and save: so a folder that is not writable is reported before
        hours of training, and there is always a state to resume from."""
        if self.training.accelerator.is_main_process:
            for left in self.folder.glob(".*.part.safetensors"):
                left.unlink()
        if not (self.folder / STATE).exists():
            self.save()

    def save(self) -> None:
        """Write the encoder and the state of the training, each atomically."""
        training = self.training
        training.accelerator.wait_for_everyone()
        if not training.accelerator.is_main_process:
            return
        header = {"kind": "training", "format": _FORMAT, "steps_done": training.steps_done, "about": self._about}
        with atomic_path(self.folder / STATE) as temporary:
            temporary.write_bytes(save(training.tensors(), metadata={_KEY: json.dumps(header)}))
        save_encoder(training.encoder, self.folder / ENCODER, overwrite=True)

    def _resume(self) -> None:
        path = self.folder / STATE
        header, tensors = read_state(path)
        theirs, ours = header.about, self._about
        names = {*theirs, *ours} - {"steps", "learning_rate"}  # these may change
        other = sorted(name for name in names if theirs.get(name) != ours.get(name))
        if other:
            name = other[0]
            raise InputError(
                f"{path} is of a training with {name} {theirs.get(name)}, not {ours.get(name)}; give the same "
                "settings to resume it, or another folder."
            )
        with refusing_damage(path, "is damaged; delete it to start anew, or give another folder"):
            self.training.resume(tensors, header.steps_done)

    def _show(self, done: int) -> None:
        import numpy as np
        from PIL import Image

        if not self.training.accelerator.is_main_process:
            return
        pixels = ((self.training.pictures() + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
        with atomic_path(self.folder / SAMPLES / f"{done:07d}.png") as temporary:
            Image.fromarray(np.ascontiguousarray(pixels)).save(temporary)

    @contextlib.contextmanager
    def _writer(self) -> Iterator[Callable[[dict[str, float], int], None]]:
        """Yield a function that writes the terms of a step for TensorBoard."""
        if not self.training.accelerator.is_main_process:
            yield lambda _terms, _step: None
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise InputError("The curves need TensorBoard: pip install 'stylegan-latents[train]'.") from error
        # Points that a stopped run wrote after its last save are purged.
        logs = self.folder / LOGS
        logs.mkdir(parents=True, exist_ok=True)
        with (
            utf8_path(logs) as name,
            contextlib.closing(SummaryWriter(name, purge_step=self.training.steps_done + 1)) as writer,
        ):

            def write(terms: dict[str, float], step: int) -> None:
                for term, value in terms.items():
                    writer.add_scalar(term, value, step)

            yield write


@contextlib.contextmanager
def _delayed_interrupt() -> Iterator[list[int]]:
    """Yield a list that is empty until Ctrl-C, so that a step is completed. A second Ctrl-C acts at once."""
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    def note(number: int, _frame: object) -> None:
        received.append(number)
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield received
    finally:
        signal.signal(signal.SIGINT, before)


def read_state(path: Path) -> tuple[StateHeader, dict[str, Tensor]]:
    """Read the state of a training, without resuming it: its header and its tensors.

    Raises:
        InputError: the file cannot be read, is damaged, or is of another kind.
    """
    try:
        with TensorFile.open(path) as file:
            header = file.json_header(_KEY)
            if not isinstance(header, dict) or header.get("kind") != "training" or header.get("format") != _FORMAT:
                raise InputError(f"{path} is not a training that this version can resume; give another folder.")
            return validated_value(StateHeader, header, path.name), file.tensors()
    except DamagedFileError as error:
        raise InputError(f"{path} is damaged: {str(error).rstrip('.')}; delete it to start anew.") from error
