"""How near an inversion comes to its photo; always computed in float32."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from stylegan_latents.generator.generator import Generator, Noise
from stylegan_latents.generator.perceptual import LPIPS, area_resize, as_colour
from stylegan_latents.generator.statistics import WStatistics

PERCEPTUAL_SIZE = 256  # the side at which the field reports LPIPS
LEAST_FOR_MS_SSIM = 161  # its five scales, each half of the one before, of a window of 11 pixels


@torch.inference_mode()
def measure(
    G: Generator,
    ws: Tensor,
    images: Tensor,
    *,
    noise: Noise = "const",
    lpips: LPIPS | None = None,
    full: bool = False,
    lpips_vgg: LPIPS | None = None,
) -> dict[str, list[float]]:
    """Compare the pictures of codes with the images that they stand for.

    Args:
        G: the generator, in float32.
        ws: ``[N, num_ws, w_dim]``.
        images: ``[N, 3, H, W]`` in [-1, 1].
        noise: as for ``Generator.synthesize``.
        lpips, lpips_vgg: the measures, where they are loaded already.
        full: measure what takes longer, too.

    Returns:
        For each image: ``lpips_alex`` at 256 pixels (0 is equal), ``mse`` of values in [-1, 1] and ``psnr`` in
        decibels, both at the generator's full resolution. If ``full``, also ``lpips_vgg`` at 256 pixels, another
        measure whose numbers don't compare with the first; ``ms_ssim`` (Wang et al. 2003; 1 is equal, NaN below
        ``LEAST_FOR_MS_SSIM`` pixels) at full resolution; and ``w_distance``, how unusual the code is
        (``WStatistics.distance``, 1 for a typical sample of W).
    """
    lpips = (lpips or LPIPS.load("alex")).to(G.device)
    rows: dict[str, list[float]] = {"lpips_alex": [], "mse": [], "psnr": []}
    if full:
        lpips_vgg = (lpips_vgg or LPIPS.load("vgg")).to(G.device)
        rows |= {"lpips_vgg": [], "ms_ssim": [], "w_distance": WStatistics.of(G).distance(ws.to(G.device)).tolist()}
    ws, images = ws.to(G.device), images.to(G.device)
    for code, image in zip(ws.unsqueeze(1), images.unsqueeze(1), strict=True):
        made = as_colour(G.synthesize(code, noise)).clamp(-1, 1)
        wanted = area_resize(image, G.resolution)
        mse = F.mse_loss(made, wanted)
        small = area_resize(made, PERCEPTUAL_SIZE), area_resize(image, PERCEPTUAL_SIZE)
        rows["lpips_alex"].append(float(lpips(*small)))
        if full and lpips_vgg is not None:
            rows["lpips_vgg"].append(float(lpips_vgg(*small)))
            rows["ms_ssim"].append(_ms_ssim(made, wanted))
        rows["mse"].append(float(mse))
        rows["psnr"].append(float(10 * torch.log10(4 / mse.clamp_min(1e-12))))
    return rows


def _ms_ssim(made: Tensor, wanted: Tensor) -> float:
    """Multi-scale structural similarity of two ``[1, 3, H, W]`` in [-1, 1]."""
    from pytorch_msssim import ms_ssim

    if made.shape[-1] < LEAST_FOR_MS_SSIM:
        return math.nan
    return float(ms_ssim((made + 1) / 2, (wanted.clamp(-1, 1) + 1) / 2, data_range=1))
