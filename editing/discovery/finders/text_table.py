"""StyleCLIP's table of every style channel's effect in CLIP's space (Patashnik et al., "StyleCLIP: Text-Driven
Manipulation of StyleGAN Imagery", 2021, section 6), published as ``fs3.npy``.

It holds, for every channel but to-RGB's in the layers' order, the mean change of CLIP's image embedding.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.editing.directions.calibration import calibrated, style_deviations, w_statistics
from stylegan_latents.editing.directions.direction import Direction
from stylegan_latents.editing.discovery.finders.base import channel_mask
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.arrays import read_arrays

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.editing.text.image_text import ImageTextModel
    from stylegan_latents.generator.generator import Generator

THRESHOLD = 0.1
"""Default relevance from which a style channel moves."""


@dataclass(frozen=True, eq=False)
class TextTable:
    """Effects of style channels in an image-text model's space.

    Attributes:
        G: the generator of the channels.
        steps: float32 ``[channels without to-RGB, embedding]``.
    """

    G: "Generator"
    steps: "Tensor"

    def check_model(self, model: "ImageTextModel") -> None:
        """Raise InputError if the model's embeddings have another length than the table's."""
        theirs, ours = model.embed_texts(["a picture"]).shape[1], self.steps.shape[1]
        if theirs != ours:
            raise InputError(
                f"The table is of an image-text model's space of {ours} numbers, and {model.version} has {theirs}; "
                "use the model that the table was made with."
            )

    def direction(self, text_step: "Tensor", name: str, *, threshold: float = THRESHOLD) -> Direction:
        """The style channels that move pictures towards a text.

        A channel moves by its relevance, the product of its row with the text's step, in standard deviations; the
        most relevant one has 1, so that a raw strength is StyleCLIP's alpha.

        Args:
            text_step: the text's embedding less the neutral text's, ``[embedding]``.
            name: of the direction.
            threshold: least relevance of a channel that moves; StyleCLIP's beta.

        Raises:
            InputError: the texts do not differ, or no channel is relevant enough.
            ValueError: the text's embedding has another length than the table's.
        """
        import torch

        if text_step.shape != self.steps.shape[1:]:
            raise ValueError(f"text_step needs {list(self.steps.shape[1:])}, got {list(text_step.shape)}")
        if not float(text_step.norm()) > 0:
            raise InputError(
                "The two texts mean the same to the model, with no direction between them; choose other texts."
            )
        relevance = self.steps @ torch.nn.functional.normalize(text_step.float().cpu(), dim=0)
        largest = float(relevance.abs().max())
        if not largest >= threshold:
            raise InputError(
                f"No style channel is relevant to '{name}' by {threshold:g} or more; the most relevant has "
                f"{largest:.3f}, so choose a lower threshold."
            )
        relevance = torch.where(relevance.abs() < threshold, torch.zeros(()), relevance / largest)
        statistics = w_statistics(self.G)
        vector = torch.zeros(sum(layer.channels for layer in self.G.layers))
        vector[channel_mask(self.G)] = relevance
        direction = Direction(
            name=name,
            latent_space=self.G.latent_space,
            vector=(vector * style_deviations(self.G, statistics).cpu())[None],
            scale=1.0,
            provenance={
                "positive": name,
                "finder": "StyleCLIP",
                "threshold": threshold,
                "channels": int((relevance != 0).sum()),
            },
            space="s",
        ).bind(self.G)
        return calibrated(direction, self.G, statistics)


def read_text_table(path: Path, G: "Generator") -> TextTable:
    """Read ``fs3.npy``; raises InputError if it cannot be read or belongs to a generator with other channels."""
    arrays = read_arrays(path)
    steps = arrays.get("")
    if steps is None or steps.ndim != 2:
        raise InputError(f"{path.name} is no table of style channels.")
    channels = int(channel_mask(G).sum())
    if len(steps) != channels:
        raise InputError(
            f"{path.name} belongs to another StyleSpace, of {len(steps)} channels; the model '{G.name}' has "
            f"{channels} besides to-RGB's."
        )
    if not bool(steps.isfinite().all()):
        raise InputError(f"{path.name} holds values that are not finite.")
    return TextTable(G, steps)
