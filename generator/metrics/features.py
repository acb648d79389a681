"""Networks for the features that metrics compare."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.metrics.draws import in_colour
from stylegan_latents.generator.perceptual import LPIPS


class VGGFeatures:
    """The last convolution of VGG-16, averaged over the image (Simonyan and Zisserman 2015).

    For comparing generators where Inception's weights are not available; the distances are not on the FID's scale.

    Args:
        tensors: ``conv{i}.weight`` and ``conv{i}.bias`` of the 13 convolutions; None for LPIPS's, fetched once.
        side: pixels to which images are resized (bilinear, antialiased).
        device: where to compute.
    """

    def __init__(
        self, tensors: Mapping[str, Tensor] | None = None, *, side: int = 224, device: torch.device | str = "cpu"
    ) -> None:
        network = LPIPS.load("vgg") if tensors is None else LPIPS("vgg", dict(tensors))
        self._network = network.to(device)
        self._device = device
        self._side = side

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """Images ``[N, 1 or 3, H, W]`` in [-1, 1] to ``[N, 512]``."""
        x = in_colour(images.to(self._device)).clamp(-1, 1)
        if x.shape[2:] != (self._side, self._side):
            x = F.interpolate(x, (self._side, self._side), mode="bilinear", antialias=True, align_corners=False)
        return self._network.activations(x)[-1].mean(dim=(2, 3))


class InceptionFeatures:
    """Inception v3's pooled features, which define the FID (Heusel et al. 2017), through torch-fidelity.

    Args:
        weights: torch-fidelity's file ``weights-inception-2015-12-05-6726825d.pth``; None to fetch it once.
        device: where to compute.

    Raises:
        InputError: torch-fidelity is not installed, or the weights cannot be fetched or read.
    """

    def __init__(self, weights: Path | None = None, *, device: torch.device | str = "cpu") -> None:
        from stylegan_latents.generator.formats.safe_pickle.torch_file import open_torch_file

        try:
            from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
        except ImportError as error:
            raise InputError(
                "The Frechet inception distance needs torch-fidelity; run `pip install torch-fidelity`."
            ) from error
        if weights is None:
            from stylegan_latents.generator.weights import zoo

            weights = zoo.fetch("inception-fid")
        try:
            # torch-fidelity would execute code in the file: only files without any pass this.
            with open_torch_file(weights):
                pass
            network = FeatureExtractorInceptionV3(
                "inception-v3-compat", ["2048"], feature_extractor_weights_path=str(weights)
            )
        except OSError as error:
            raise InputError(f"Cannot read {weights}: {error.strerror or error}.") from error
        except (RuntimeError, AttributeError, TypeError) as error:
            raise InputError(f"{weights} holds other weights than torch-fidelity's Inception v3.") from error
        self._network = network.to(device)
        self._device = device

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """Images ``[N, 1 or 3, H, W]`` in [-1, 1], taken as 8 bits, to ``[N, 2048]``."""
        pixels = in_colour(images.to(self._device)).float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
        features: Tensor = self._network(pixels)[0]
        return features
