"""StyleCLIP's table of what each style channel does in CLIP's space, which makes directions from a text (Patashnik
et al., "StyleCLIP: Text-Driven Manipulation of StyleGAN Imagery", 2021, section 6).

The table is computed once for a generator, and published as ``fs3.npy``: for every channel but to-RGB's, in the
layers' order, the mean step of CLIP's image embedding when the channel moves. The text model is the caller's.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.editing.directions.arrays import read_arrays
from stylegan_latents.editing.directions.calibration import calibrated, style_deviations, w_statistics
from stylegan_latents.editing.directions.direction import Direction
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.editing.text.image_text import ImageTextModel
    from stylegan_latents.generator.generator import Generator

THRESHOLD = 0.1
"""The relevance from which on a style channel moves."""


@dataclass(frozen=True, eq=False)
class TextTable:
    """What each style channel does in an image-text model's space.

    Attributes:
        G: the generator of the channels.
        steps: float32 ``[channels without to-RGB, embedding]``.
    """

    G: "Generator"
    steps: "Tensor"

    def check_model(self, model: "ImageTextModel") -> None:
        """Refuse an image-text model whose space has another number of axes than the table's.

        Raises:
            InputError: it has.
        """
        theirs, ours = model.embed_texts(["a picture"]).shape[1], self.steps.shape[1]
        if theirs != ours:
            raise InputError(
                f"The table is of an image-text model's space of {ours} numbers, and {model.version} has {theirs}; "
                "use the model that the table was made with."
            )

    def direction(self, text_step: "Tensor", name: str, *, threshold: float = THRESHOLD) -> Direction:
        """The style channels that go a text's way.

        A channel moves by its relevance, the product of its row with the text's step, in its own standard
        deviations; the vector is scaled so that the most relevant one has 1, and a raw strength is StyleCLIP's
        alpha.

        Args:
            text_step: the embedding of the text wanted less that of a neutral one, ``[embedding]``.
            name: of the direction.
            threshold: channels less relevant than this stay; StyleCLIP's beta.

        Raises:
            InputError: the texts do not differ, or no channel is relevant enough.
            ValueError: the text's embedding has another length than the table's.
        """
        import torch

        if text_step.shape != self.steps.shape[1:]:
            raise ValueError(f"text_step needs {list(self.steps.shape[1:])}, got {list(text_step.shape)}")
        if not float(text_step.norm()) > 0:
            raise InputError(
                "The two texts mean the same to the model, so that there is no direction between them."
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
        vector[_without_rgb(self.G)] = relevance
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
    """Read ``fs3.npy``.

    Raises:
        InputError: it cannot be read, or is for a generator with other style channels.
    """
    arrays = read_arrays(path)
    steps = arrays.get("")
    if steps is None or steps.ndim != 2:
        raise InputError(f"{path.name} is no table of style channels.")
    channels = int(_without_rgb(G).sum())
    if len(steps) != channels:
        raise InputError(
            f"{path.name} belongs to another StyleSpace, of {len(steps)} channels; the model '{G.name}' has "
            f"{channels} besides to-RGB's."
        )
    if not bool(steps.isfinite().all()):
        raise InputError(f"{path.name} holds values that are not finite.")
    return TextTable(G, steps)


def _without_rgb(G: "Generator") -> "Tensor":
    """Which channels of all layers are not to-RGB's, bool."""
    import torch

    return torch.cat([torch.full((layer.channels,), not layer.name.endswith("rgb")) for layer in G.layers])
