"""Who is seen in aligned faces: the distance by dlib's face recognition network, for training encoders.

In the place of ArcFace in pSp (Richardson et al. 2021, section 3.2), whose weights are not free to use.
"""

import torch
from stylegan_latents.encoders.face_chips import face_chips
from stylegan_latents.encoders.face_recognition import FaceRecognition
from torch import Tensor, nn

# Where dlib cuts faces out of crops that are aligned as FFHQ's: means over portraits, in sides of the crop. The
# corners of single faces lie within 0.02 of these.
_CORNERS = ((0.158, 0.259), (0.844, 0.259), (0.158, 0.945))


class FaceDistance(nn.Module):
    """The squared euclidean distance of two aligned faces' descriptors: below 0.36 for the same person.

    Args:
        network: None for dlib's, which is fetched once.

    Raises:
        InputError: the network cannot be fetched or read.
    """

    corners: Tensor

    def __init__(self, network: FaceRecognition | None = None) -> None:
        super().__init__()
        self.network = FaceRecognition.load() if network is None else network
        self.register_buffer("corners", torch.tensor([_CORNERS]))

    def features(self, images: Tensor) -> Tensor:
        """Images ``[N, 3, H, H]`` in [-1, 1], aligned as FFHQ's, to descriptors ``[N, 128]``."""
        corners = self.corners.expand(len(images), -1, -1)
        descriptors: Tensor = self.network(face_chips(images, corners, self.network.side))
        return descriptors

    def forward(self, ours: Tensor, theirs: Tensor) -> Tensor:
        """The distance ``[N]`` of images ``[N, 3, H, H]`` in [-1, 1]."""
        with torch.no_grad():
            wanted = self.features(theirs)
        return (self.features(ours) - wanted).square().sum(dim=1)
