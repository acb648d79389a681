"""A record's picture, and metrics of how near it comes to the photo, in float32."""

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from stylegan_latents.generator.generator import Generator, Noise
from stylegan_latents.generator.perceptual import LEAST_SIDE, LPIPS, area_resize, as_colour
from stylegan_latents.generator.statistics import WStatistics
from stylegan_latents.invert.photos.files import to_picture
from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.record.tuned_weights import tuned_generator

if TYPE_CHECKING:
    from PIL import Image

PERCEPTUAL_SIZE = 256  # the side at which LPIPS is usually reported
LEAST_FOR_MS_SSIM = 161  # pixels: five scales, each half of the one before, with a window of 11 pixels


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
    drawn: Tensor | None = None,
    mask: Tensor | None = None,
    compared_at: int | None = None,
) -> dict[str, list[float]]:
    """Compare the pictures of codes with images.

    Args:
        G: the generator, in float32.
        ws: ``[N, num_ws, w_dim]``.
        images: ``[N, 3, H, W]`` in [-1, 1].
        noise: as for ``Generator.synthesize``.
        lpips, lpips_vgg: the networks, if they are loaded already.
        full: add the slow metrics.
        drawn: the codes' pictures at full resolution, ``[N, C, R, R]``; None to draw them here.
        mask: ``[1, 1, H, H]`` in 0 to 1: where it is 0 nothing is compared, and a metric is that of the rest. None
            compares everything.
        compared_at: the height in pixels at which images without finer detail are compared, in place of the
            generator's resolution, and of 256 pixels where these are more; LPIPS compares them
            enlarged to ``LEAST_SIDE``.

    Returns:
        For each image: ``lpips_alex`` at 256 pixels (0 is equal), ``mse`` of values in [-1, 1] and ``psnr`` in
        decibels, both at full resolution. If ``full``, also ``lpips_vgg`` at 256 pixels, on a scale of its own;
        ``ms_ssim`` (Wang et al. 2003; 1 is equal, NaN below ``LEAST_FOR_MS_SSIM`` pixels) at full resolution; and
        ``w_distance`` (``WStatistics.distance``, 1 for a typical sample of W).
    """
    lpips = (lpips or LPIPS.load("alex")).to(G.device)
    rows: dict[str, list[float]] = {"lpips_alex": [], "mse": [], "psnr": []}
    if full:
        lpips_vgg = (lpips_vgg or LPIPS.load("vgg")).to(G.device)
        rows |= {"lpips_vgg": [], "ms_ssim": [], "w_distance": WStatistics.of(G).distance(ws.to(G.device)).tolist()}
    ws, images = ws.to(G.device), images.to(G.device)
    height = compared_at or G.resolution
    whole = height, round(height * G.width / G.resolution)
    height = min(PERCEPTUAL_SIZE, max(compared_at or PERCEPTUAL_SIZE, LEAST_SIDE))
    sides = height, round(height * G.width / G.resolution)
    for number, (code, image) in enumerate(zip(ws.unsqueeze(1), images.unsqueeze(1), strict=True)):
        picture = G.synthesize(code, noise) if drawn is None else drawn[number : number + 1].to(G.device)
        made = area_resize(as_colour(picture).clamp(-1, 1), whole)
        wanted, share = area_resize(image, whole), 1.0
        if mask is not None:
            # Equal on both sides where nothing is compared.
            shown = area_resize(mask.to(made), whole)
            made, wanted, share = made * shown, wanted * shown, float(shown.mean())
        mse = F.mse_loss(made, wanted) / share
        whole_wanted = image if mask is None and compared_at is None else wanted
        small = area_resize(made, sides), area_resize(whole_wanted, sides)
        rows["lpips_alex"].append(float(lpips(*small)) / share)
        if full and lpips_vgg is not None:
            rows["lpips_vgg"].append(float(lpips_vgg(*small)) / share)
            rows["ms_ssim"].append(1 - (1 - _ms_ssim(made, wanted)) / share)
        rows["mse"].append(float(mse))
        rows["psnr"].append(float(10 * torch.log10(4 / mse.clamp_min(1e-12))))
    return rows


@torch.inference_mode()
def draw(G: Generator, record: Inversion) -> Tensor:
    """Draw a record's first code with its noise and tuned weights: ``[1, 3, R, R]`` in about [-1, 1].

    Raises:
        InputError: the record belongs to another generator.
    """
    tuned = tuned_generator(G, record)
    noise: Noise = "const" if record.noise is None else [one[:1].to(G.device) for one in record.noise]
    return as_colour(tuned.synthesize(record.for_generator(G)[:1], noise))


def picture_of(G: Generator, record: Inversion) -> "Image.Image":
    """``draw`` as a picture."""
    return to_picture(draw(G, record))[0]


def measured(
    G: Generator,
    record: Inversion,
    images: Tensor,
    *,
    full: bool,
    drawn: Tensor | None = None,
    mask: Tensor | None = None,
    compared_at: int | None = None,
) -> dict[str, list[float]]:
    """The metrics of a record of one image with those of ``measure``; ``drawn`` is from ``draw``."""
    drawn = draw(G, record) if drawn is None else drawn
    ws = record.for_generator(G)
    return record.metrics | measure(G, ws, images, full=full, drawn=drawn, mask=mask, compared_at=compared_at)


def _ms_ssim(made: Tensor, wanted: Tensor) -> float:
    """Multi-scale structural similarity of two ``[1, 3, H, W]`` in [-1, 1]."""
    from pytorch_msssim import ms_ssim

    if made.shape[-1] < LEAST_FOR_MS_SSIM:
        return math.nan
    return float(ms_ssim((made + 1) / 2, (wanted.clamp(-1, 1) + 1) / 2, data_range=1))
