"""The settings of an encoder's training, and the learning rate and e4e's stage at each step."""

import math
from dataclasses import dataclass

from stylegan_latents.generator.errors import InputError


@dataclass(frozen=True)
class TrainingSettings:
    """The settings of an encoder's training.

    Attributes:
        steps: in all; the learning rate falls to 0 over the last third.
        batch: images in a step, on each device.
        learning_rate: of Adam, after a linear rise over the first ``warm_up`` steps.
        pixel_weight: of the mean squared error.
        code_weight: of the distance from a sample's code, in standard deviations of W.
        w_weight: of the mean squared whitened coordinate, which pulls codes to the mean of W.
        delta_weight: of the lengths of rows' differences from row 0 (e4e).
        adversarial_weight: of the adversarial loss of a critic of the rows (e4e); 0 for none.
        critic_learning_rate: of that critic.
        first_delta_step, delta_every: step from which e4e learns its first difference, and steps between two.
        loss_size: side at which images are compared.
        degrade: whether the encoder's inputs are augmented.
        seed: of the examples and the initial weights.
    """

    steps: int = 20_000
    batch: int = 8
    learning_rate: float = 1e-4
    warm_up: int = 100
    pixel_weight: float = 1.0
    code_weight: float = 0.1
    w_weight: float = 0.0
    delta_weight: float = 2e-4
    adversarial_weight: float = 0.0
    critic_learning_rate: float = 2e-5
    first_delta_step: int = 0
    delta_every: int = 2_000
    loss_size: int = 256
    degrade: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steps < 0 or self.batch < 1 or self.delta_every < 1 or self.first_delta_step < 0:
            raise InputError("Steps have to be 0 or more, and the batch and --delta-every 1 or more.")
        for name in ("learning_rate", "critic_learning_rate"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise InputError(f"The {name.replace('_', ' ')} has to be above 0, not {getattr(self, name)}.")
        for name in ("pixel_weight", "code_weight", "w_weight", "delta_weight", "adversarial_weight"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise InputError(f"The {name.replace('_', ' ')} has to be 0 or above, not {getattr(self, name)}.")
        if self.loss_size < 8:
            raise InputError(f"Images are compared at 8 pixels or more, not {self.loss_size}.")

    def rate_at(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        rise = min(1.0, (step + 1) / max(1, self.warm_up))
        left = (self.steps - step) / max(1, self.steps)
        return self.learning_rate * rise * min(1.0, 3 * max(0.0, left))

    def stage_at(self, step: int, num_ws: int) -> int:
        """The number of rows of an e4e that differ from row 0 at a step."""
        if step < self.first_delta_step:
            return 0
        if not self.first_delta_step:
            return num_ws - 1
        return min(num_ws - 1, 1 + (step - self.first_delta_step) // self.delta_every)
