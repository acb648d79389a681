"""The interface of image-text models, and CLIP's through open_clip (Radford et al., "Learning Transferable Visual
Models From Natural Language Supervision", 2021).

open_clip is an optional extra. Its own reading of weights is not used: a file is read as data, never run.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator

ARCHITECTURE, WEIGHTS = "ViT-B-32", "laion2b_s34b_b79k"
"""StyleCLIP's architecture, and weights for it that are published as safetensors."""
OPENAI = "openai"
"""The weights that StyleCLIP used, as open_clip names them."""

_SIDE = 224


class ImageTextModel(Protocol):
    """Embeds pictures and texts in one space, where matching ones are close.

    Attributes:
        version: changes whenever embeddings change.
    """

    @property
    def version(self) -> str: ...

    def embed_images(self, images: "Tensor") -> "Tensor":
        """Square pictures ``[N, 3, H, W]`` in [-1, 1] to unit vectors ``[N, D]``; gradients reach the pictures."""
        ...

    def embed_texts(self, texts: Sequence[str]) -> "Tensor":
        """Texts to unit vectors ``[len(texts), D]``."""
        ...


class OpenCLIP:
    """A CLIP of open_clip.

    Args:
        weights: a file of the architecture's weights (.safetensors, or a state of ``torch.save``), or the name of
            weights that open_clip downloads.
        architecture: as open_clip names it.
        quick_gelu: whether the weights were trained with OpenAI's faster activation, which a file does not say;
            None for what open_clip knows of a name, and no for a file.
        device: where to compute.

    Raises:
        InputError: open_clip is not installed, the weights cannot be had or are for another architecture.
    """

    def __init__(
        self,
        weights: str | Path = WEIGHTS,
        *,
        architecture: str = ARCHITECTURE,
        quick_gelu: bool | None = None,
        device: "torch.device | str" = "cpu",
    ) -> None:
        try:
            import open_clip
        except ImportError as error:
            raise InputError(
                "Texts need open_clip; run `pip install open_clip_torch`, or install the extra `text`."
            ) from error
        if architecture not in open_clip.list_models():
            raise InputError(f"open_clip has no architecture '{architecture}', such as {ARCHITECTURE}.")
        path = Path(weights).expanduser()
        if not path.is_file():
            config = _known_weights(architecture, str(weights))
            quick_gelu = bool(config.get("quick_gelu")) if quick_gelu is None else quick_gelu
            path = _download(architecture, str(weights), config)
        network = open_clip.create_model(architecture, pretrained=None, force_quick_gelu=bool(quick_gelu))
        _fill(network, read_state(path), path)
        self._network = network.to(device).eval().requires_grad_(False)
        self._tokenizer = open_clip.get_tokenizer(architecture)
        self._mean, self._deviation = open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD
        self._device = device
        self.version = f"{architecture}{'-quickgelu' if quick_gelu else ''}-{path.name}-{path.stat().st_size}"

    def embed_images(self, images: "Tensor") -> "Tensor":
        """See ``ImageTextModel``."""
        import torch
        from torch.nn import functional as F

        side = self._network.visual.image_size
        side = side if isinstance(side, int) else side[0]
        levels = (images.to(self._device).float().clamp(-1, 1) + 1) / 2
        levels = F.interpolate(levels, (side, side), mode="bicubic", antialias=True, align_corners=False)
        mean, deviation = (
            torch.tensor(values, device=self._device).reshape(1, 3, 1, 1)
            for values in (self._mean, self._deviation)
        )
        return F.normalize(self._network.encode_image((levels - mean) / deviation), dim=1)

    def embed_texts(self, texts: Sequence[str]) -> "Tensor":
        """See ``ImageTextModel``."""
        import torch
        from torch.nn import functional as F

        with torch.no_grad():
            return F.normalize(self._network.encode_text(self._tokenizer(list(texts)).to(self._device)), dim=1)


def text_step(model: ImageTextModel, text: str, neutral: str) -> "Tensor":
    """The unit vector ``[D]`` from a neutral text to a wanted one in the model's space.

    Raises:
        InputError: a text is empty, or both mean the same to the model.
    """
    if not text.strip() or not neutral.strip():
        raise InputError("Give a text for what is wanted and a neutral one, such as 'a smiling face', 'a face'.")
    wanted, there = model.embed_texts([text, neutral])
    step = wanted - there
    length = float(step.norm())
    if not length > 1e-6:
        raise InputError(f"'{text}' and '{neutral}' mean the same to the model; choose texts that differ.")
    unit: Tensor = step / length
    return unit


def drawn_size(G: "Generator") -> int:
    """The side of pictures for an image-text model: the smallest the generator draws from 224 pixels on."""
    size = G.resolution
    while size // 2 >= _SIDE:
        size //= 2
    return size


def read_state(path: Path) -> "dict[str, Tensor]":
    """Weights by name, from safetensors or ``torch.save``; nothing in the file is run.

    Raises:
        InputError: the file cannot be read as weights.
    """
    import torch

    if path.suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(path)
        except (SafetensorError, OSError, ValueError) as error:
            raise InputError(f"{path} is cut short or damaged: {error}.") from error
    try:
        contents = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise InputError(
            f"{path} cannot be read as plain weights; give a .safetensors file of the same network."
        ) from error
    state = contents.get("state_dict", contents) if isinstance(contents, dict) else None
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise InputError(f"{path} holds no weights by name.")
    return {str(name).removeprefix("module."): value for name, value in state.items()}


def _known_weights(architecture: str, name: str) -> "dict[str, Any]":
    """What open_clip knows of the weights of this name."""
    import open_clip

    config: dict[str, Any] = open_clip.get_pretrained_cfg(architecture, name)
    if not config:
        known = open_clip.list_pretrained_tags_by_model(architecture)
        near = get_close_matches(name, known, n=2, cutoff=0.5) or [tag for tag in (WEIGHTS, OPENAI) if tag in known]
        raise InputError(
            f"There is no file '{name}', and open_clip has no weights of that name for {architecture}: give a "
            f"file, or a name such as {' or '.join(near or known[:2])}."
        )
    return config


def _download(architecture: str, name: str, config: "dict[str, Any]") -> Path:
    """The file of weights that open_clip knows by name."""
    import open_clip

    try:
        return Path(open_clip.download_pretrained(config))
    # What is raised depends on the host's client: every one of them means that there is no file.
    except Exception as error:
        raise InputError(
            f"The weights '{name}' of {architecture} could not be downloaded ({type(error).__name__}); download "
            "them elsewhere and give their file."
        ) from error


def _fill(network: "torch.nn.Module", state: "dict[str, Tensor]", path: Path) -> None:
    wanted = network.state_dict()
    missing = [name for name in wanted if name not in state and not name.endswith("attn_mask")]
    wrong = [name for name in wanted if name in state and state[name].shape != wanted[name].shape]
    if missing or wrong:
        raise InputError(f"{path} holds the weights of another network: {(missing or wrong)[0]} does not fit.")
    network.load_state_dict({name: state[name].float() for name in wanted if name in state}, strict=False)
