"""Networks whose features metrics compare images in."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from generator.errors import InputError
from generator.metrics.draws import in_colour

_POOL_BEFORE = (2, 4, 7, 10)  # VGG-16: convolutions of 2, 2, 3, 3, 3
_CONVS = 13


class VGGFeatures:
    """The last convolution's channels of VGG-16, averaged over the image (Simonyan and Zisserman 2015).

    For comparing generators where Inception's weights cannot be had: these come with LPIPS's. The distances are not
    on the FID's scale.

    Args:
        tensors: ``conv{i}.weight`` and ``conv{i}.bias`` of the 13 convolutions; the published ones, fetched once,
            when None.
        side: pixels to which images are resized (bilinear, antialiased).
        device: where to compute.
    """

    def __init__(
        self,
        tensors: Mapping[str, Tensor] | None = None,
        *,
        side: int = 224,
        device: torch.device | str = "cpu",
    ) -> None:
        if tensors is None:
            from safetensors.torch import load_file

            from generator import zoo

            tensors = load_file(zoo.fetch("lpips-vgg"))
        self._convs = [
            (tensors[f"conv{i}.weight"].to(device), tensors[f"conv{i}.bias"].to(device)) for i in range(_CONVS)
        ]
        # ImageNet's mean and deviation, for values in [-1, 1].
        self._shift = torch.tensor([-0.030, -0.088, -0.188], device=device).reshape(1, 3, 1, 1)
        self._spread = torch.tensor([0.458, 0.448, 0.450], device=device).reshape(1, 3, 1, 1)
        self._side = side

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """Images ``[N, 1 or 3, H, W]`` in [-1, 1] to ``[N, 512]``."""
        x = in_colour(images.to(self._shift.device)).clamp(-1, 1)
        if x.shape[2:] != (self._side, self._side):
            x = F.interpolate(x, (self._side, self._side), mode="bilinear", antialias=True, align_corners=False)
        x = (x - self._shift) / self._spread
        for i, (weight, bias) in enumerate(self._convs):
            if i in _POOL_BEFORE:
                x = F.max_pool2d(x, 2)
            x = F.relu(F.conv2d(x, weight, bias, padding=1))
        return x.mean(dim=(2, 3))


class InceptionFeatures:
    """Inception v3's pooled features, as the FID is defined on (Heusel et al. 2017), through torch-fidelity.

    Args:
        weights: torch-fidelity's file ``weights-inception-2015-12-05-6726825d.pth``; fetched once when None.
        device: where to compute.

    Raises:
        InputError: torch-fidelity is not installed, or the weights cannot be had or are no such weights.
    """

    def __init__(self, weights: Path | None = None, *, device: torch.device | str = "cpu") -> None:
        from generator.formats.torch_file import open_torch_file

        try:
            from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
        except ImportError as error:
            raise InputError(
                "The Frechet inception distance needs torch-fidelity; run `pip install torch-fidelity`."
            ) from error
        if weights is None:
            from generator import zoo

            weights = zoo.fetch("inception-fid")
        try:
            # torch-fidelity's own reading would run what a file asks for: pass only files that ask for nothing.
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
