"""Distance of two images in the features of any network: identity for faces, content in other domains.

One minus the cosine of the features: pSp takes ArcFace's (Richardson et al. 2021, section 3.2), e4e outside faces
takes MoCo's (Tov et al. 2021, section 5.1).
"""

from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylegan_latents.generator.errors import InputError

Range = Literal["symmetric", "imagenet"]
_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class FeatureDistance(nn.Module):
    """One minus the cosine of two images' features, by the frozen network of a TorchScript file.

    A TorchScript file contains a program, which PyTorch's interpreter runs: use only files from people you trust.

    Args:
        path: of the file: images ``[N, 3, side, side]`` to features ``[N, ...]``.
        side: of the network's input; 112 for ArcFace, 224 for most others.
        values: ``symmetric`` for inputs in [-1, 1], as for ArcFace, or ``imagenet``.
        crop: the central share of the image's side that the network sees; about 0.73 of FFHQ's is a face.

    Raises:
        InputError: the file is no readable network, it does not take such images, or a number is out of range.
    """

    shift: Tensor
    spread: Tensor

    def __init__(self, path: Path, *, side: int = 224, values: Range = "symmetric", crop: float = 1.0) -> None:
        super().__init__()
        if side < 8 or not 0 < crop <= 1:
            raise InputError(
                f"Features need a side of 8 or more and a crop above 0 and up to 1, not {side}, {crop}."
            )
        try:
            network = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
        except (OSError, RuntimeError, ValueError) as error:
            raise InputError(f"{path} cannot be read as a TorchScript network.") from error
        self.network = network.eval()
        for weight in self.network.parameters():
            weight.requires_grad_(False)
        self.side, self.values, self.crop, self.name = side, values, crop, path.name
        self.register_buffer("shift", torch.tensor(_IMAGENET_MEAN).reshape(1, 3, 1, 1))
        self.register_buffer("spread", torch.tensor(_IMAGENET_STD).reshape(1, 3, 1, 1))
        try:
            self.features(torch.zeros(2, 3, side, side))
        except (RuntimeError, AttributeError, TypeError) as error:
            raise InputError(
                f"{path.name} does not take images of {side} x {side}; give its input's side to --features-side."
            ) from error

    def features(self, images: Tensor) -> Tensor:
        """Images ``[N, 3, H, W]`` in [-1, 1] to features of length 1, ``[N, C]``."""
        rows, columns = (max(1, round(self.crop * length)) for length in images.shape[2:])
        top, left = (images.shape[2] - rows) // 2, (images.shape[3] - columns) // 2
        inputs = images[:, :, top : top + rows, left : left + columns]
        inputs = F.interpolate(inputs, (self.side, self.side), mode="bilinear", antialias=True, align_corners=False)
        if self.values == "imagenet":
            inputs = ((inputs + 1) / 2 - self.shift) / self.spread
        found: Tensor = self.network(inputs)
        return F.normalize(found.flatten(1).float(), dim=1)

    def forward(self, ours: Tensor, theirs: Tensor) -> Tensor:
        """The distance ``[N]`` of images ``[N, 3, H, W]`` in [-1, 1], from 0 to 2."""
        with torch.no_grad():
            target = self.features(theirs)
        return 1 - (self.features(ours) * target).sum(dim=1)
