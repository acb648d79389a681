"""From a file to the discriminator that a generator was trained against."""

from pathlib import Path

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.file_head import FileHead
from stylegan_latents.generator.formats.nvidia.read import read_nvidia_discriminator
from stylegan_latents.generator.networks.stylegan2_discriminator import Discriminator
from stylegan_latents.generator.weights.zoo import DEFAULT_MODEL, fetch, models


def load_discriminator(name_or_path: str | Path) -> Discriminator:
    """Load the discriminator that a StyleGAN, StyleGAN2 or StyleGAN3 was trained with, on the CPU, in float32.

    Args:
        name_or_path: the path of a pickle of NVIDIA's PyTorch or TensorFlow repositories, or a name that
            ``edit models`` lists of a model that comes as one.

    Returns:
        A ``Discriminator``: called with images
        ``[N, image_channels, resolution, resolution]``, -1 black to 1 white, and a label ``[N, label_dim]`` where
        there are classes, it gives scores ``[N, 1]``, higher for what looks real.

    Raises:
        InputError: there is no such file, it cannot be read, or it has no such discriminator.
    """
    path = Path(name_or_path).expanduser()
    if not path.exists() and str(name_or_path) == DEFAULT_MODEL:
        raise InputError(f"The model {DEFAULT_MODEL} comes without its discriminator; give a file with one.")
    if not path.exists() and str(name_or_path) in models():
        path = fetch(models()[str(name_or_path)].name)
    head = FileHead.of(path)
    if head.is_torch:
        raise InputError(f"{path.name} is a PyTorch checkpoint; discriminators are read from NVIDIA pickles only.")
    if not head.is_pickle:
        raise InputError(f"{path.name} is {head.kind}, not a discriminator's file; get the weights themselves.")
    config, tensors = read_nvidia_discriminator(path)
    try:
        network = Discriminator(config, path.stem)
        network.load_state_dict(tensors, assign=True)
    except (RuntimeError, ValueError) as error:
        raise InputError(f"{path.name} is damaged: its tensors do not fit one another.") from error
    return network.eval().requires_grad_(False)
