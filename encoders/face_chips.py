"""Faces cut out of images as a recognition network saw them in training, differentiably."""

import torch
from torch import Tensor
from torch.nn import functional as F


def face_chips(images: Tensor, corners: Tensor, side: int) -> Tensor:
    """Cut a square of any angle out of each image.

    Images are averaged by halves until less than two of their pixels fall on one of the square's, as dlib does it;
    bilinear sampling of so little more leaves nothing out.

    Args:
        images: ``[N, 3, H, H]``.
        corners: ``[N, 3, 2]``, x and y of the centres of the square's pixels at its top left, top right and bottom
            left, in sides of the image: 0 its left or upper edge, 1 its right or lower one.
        side: of the squares, in pixels.

    Returns:
        ``[N, 3, side, side]``; black for what lies outside an image, when it is in [-1, 1].
    """
    step = float((corners[:, 1] - corners[:, 0]).norm(dim=1).max()) * images.shape[-1] / (side - 1)
    while step >= 2 and images.shape[-1] % 2 == 0:
        images, step = F.avg_pool2d(images, 2), step / 2
    across = torch.linspace(0, 1, side, device=images.device).reshape(1, 1, side, 1)
    down = across.reshape(1, side, 1, 1)
    begin, right, below = corners.to(images.device, torch.float32)[:, :, None, None].unbind(dim=1)
    places = begin + across * (right - begin) + down * (below - begin)
    # Outside an image grid_sample takes 0, so that black has to be there.
    grid = (2 * places - 1).to(images.dtype)
    return F.grid_sample(images + 1, grid, mode="bilinear", padding_mode="zeros", align_corners=False) - 1
