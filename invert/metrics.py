"""How near an inversion comes to its photo; always computed in float32."""

import torch
from torch import Tensor
from torch.nn import functional as F

from generator.generator import Generator, Noise
from generator.perceptual import LPIPS, area_resize, as_colour

__all__ = ["PERCEPTUAL_SIZE", "as_colour", "measure"]

PERCEPTUAL_SIZE = 256  # the side at which the field reports LPIPS


@torch.inference_mode()
def measure(
    G: Generator, ws: Tensor, images: Tensor, *, noise: Noise = "const", lpips: LPIPS | None = None
) -> dict[str, list[float]]:
    """Compare the pictures of codes with the images that they stand for.

    Args:
        G: the generator, in float32.
        ws: ``[N, num_ws, w_dim]``.
        images: ``[N, 3, H, W]`` in [-1, 1].
        noise: as for :meth:`Generator.synthesize`.
        lpips: the measure, where it is loaded already.

    Returns:
        For each image: ``lpips_alex`` at 256 pixels (0 is equal), ``mse`` of values in [-1, 1] and ``psnr`` in
        decibels, both at the generator's full resolution.
    """
    lpips = (lpips or LPIPS.load("alex")).to(G.device)
    rows: dict[str, list[float]] = {"lpips_alex": [], "mse": [], "psnr": []}
    ws, images = ws.to(G.device), images.to(G.device)
    for code, image in zip(ws.unsqueeze(1), images.unsqueeze(1), strict=True):
        made = as_colour(G.synthesize(code, noise)).clamp(-1, 1)
        mse = F.mse_loss(made, area_resize(image, G.resolution))
        distance = lpips(area_resize(made, PERCEPTUAL_SIZE), area_resize(image, PERCEPTUAL_SIZE))
        rows["lpips_alex"].append(float(distance))
        rows["mse"].append(float(mse))
        rows["psnr"].append(float(10 * torch.log10(4 / mse.clamp_min(1e-12))))
    return rows
