"""The three style pictures of the shipped styles, drawn by program from generated faces, and the styles themselves.

``python -m tests.benchmarks.style_pictures OUT`` writes ``pencil.png``, ``oil.png`` and ``cartoon.png``;
``--tune NAME`` also tunes the default model to one of them; the defaults are those of the shipped styles, whose
differences are enlarged by ``SCALES``, so that strength 1 is as much as looks right. The generated face's own code
is known and is used.
"""

import argparse
import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from stylegan_latents.editing.styles.stylize import StylizeSettings, stylize
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.loading import load
from stylegan_latents.generator.styles.style import Style
from stylegan_latents.invert.photos.files import to_picture, to_tensor
from stylegan_latents.invert.record.source import Source

Array = NDArray[np.float64]
SEEDS = {"pencil": 108, "oil": 121, "cartoon": 114}
TRUNCATION = 0.6
SCALES = {"pencil": 1.0, "oil": 1.1, "cartoon": 1.25}
_SIDE = 512


def pencil(face: Array) -> Array:
    """Lines by colour dodge, shadows by hatching, on warm paper."""
    grey = ndimage.gaussian_filter(_grey(face), 0.7)
    lines = np.clip(grey / np.maximum(1e-3, 1 - ndimage.gaussian_filter(1 - grey, 7)), 0, 1)
    lines = np.clip((lines - 0.72) / 0.28, 0, 1) ** 1.3
    y, x = np.mgrid[:_SIDE, :_SIDE].astype(float)
    random = np.random.default_rng(0)
    wave = 9 * ndimage.gaussian_filter(random.standard_normal((_SIDE, _SIDE)), 24) / 0.012
    paper = 1 - 0.025 * ndimage.gaussian_filter(random.standard_normal((_SIDE, _SIDE)), 0.8)
    drawn = lines
    tone = ndimage.gaussian_filter(grey, 4)
    for angle, period, darker_than in ((50, 6.0, 0.5), (-35, 6.5, 0.33), (10, 5.5, 0.2)):
        turned = x * np.cos(np.radians(angle)) + y * np.sin(np.radians(angle)) + 0.05 * wave
        stroke = 0.5 + 0.5 * np.cos(2 * np.pi * turned / period)
        depth = np.clip((darker_than - tone) / 0.16, 0, 1)
        drawn = drawn * (1 - 0.62 * depth * stroke**1.5)
    drawn = np.clip(drawn * paper, 0, 1)
    return (0.16 + 0.8 * drawn)[..., None] * np.array([1.0, 0.985, 0.95])


def oil(face: Array) -> Array:
    """Strong flat strokes that follow the form, with the relief of thick paint."""
    painted = _kuwahara(_kuwahara(face, 5), 4)
    grey = _grey(painted)
    strokes = _along_form(np.random.default_rng(1).standard_normal((_SIDE, _SIDE)), grey, length=28)
    mean = painted.mean(axis=2, keepdims=True)
    warm = np.clip(mean + 1.55 * (painted - mean), 0, 1) * np.array([1.06, 1.0, 0.86])
    warm = np.clip(0.5 + 1.18 * (warm - 0.5), 0, 1)
    relief = ndimage.gaussian_filter(strokes, 0.6)
    slope = np.gradient(relief, axis=0) + np.gradient(relief, axis=1)
    slope = slope / (3 * slope.std())
    return np.clip(warm * (1 + 0.1 * (strokes / (2 * strokes.std()))[..., None]) + 0.08 * slope[..., None], 0, 1)


def cartoon(face: Array) -> Array:
    """Few flat, bright colours and dark outlines."""
    flat = _kuwahara(_kuwahara(_kuwahara(face, 5), 4), 3)
    grey = _grey(flat)
    levels = 5
    steps = grey * levels
    near = np.floor(steps) + 0.5 + 0.5 * np.tanh(9 * (steps - np.floor(steps) - 0.5))
    toned = flat * (np.clip(near / levels, 0.04, 1) / np.maximum(grey, 0.04))[..., None]
    mean = toned.mean(axis=2, keepdims=True)
    bright = np.clip(mean + 1.7 * (toned - mean), 0, 1) ** 0.82
    smooth = _grey(_kuwahara(face, 3))
    edge = ndimage.gaussian_filter(smooth, 1.4) - 0.985 * ndimage.gaussian_filter(smooth, 2.6)
    lines = np.clip(1 + np.tanh(90 * (edge - 0.0005)), 0, 1)
    return bright * (0.06 + 0.94 * lines)[..., None]


PICTURES: dict[str, Callable[[Array], Array]] = {"pencil": pencil, "oil": oil, "cartoon": cartoon}


def _grey(picture: Array) -> Array:
    grey: Array = picture @ np.array([0.299, 0.587, 0.114])
    return grey


def _kuwahara(picture: Array, radius: int) -> Array:
    """The mean of the quarter of each pixel's surroundings whose brightness varies least."""
    size = radius + 1
    grey = _grey(picture)
    best, result = np.full(grey.shape, np.inf), picture.copy()
    for down in (-(radius // 2) - 1, radius // 2):
        for across in (-(radius // 2) - 1, radius // 2):
            shift = (down + (down < 0), across + (across < 0))
            mean = ndimage.uniform_filter(grey, size, origin=shift)
            variance = ndimage.uniform_filter(grey**2, size, origin=shift) - mean**2
            colours = np.stack([ndimage.uniform_filter(picture[..., i], size, origin=shift) for i in range(3)], -1)
            chosen = variance < best
            best[chosen], result[chosen] = variance[chosen], colours[chosen]
    return result


def _along_form(noise: Array, grey: Array, length: int) -> Array:
    """Noise averaged along the lines of equal brightness."""
    gx, gy = ndimage.sobel(grey, 1), ndimage.sobel(grey, 0)
    xx, yy, xy = (ndimage.gaussian_filter(one, 9) for one in (gx * gx, gy * gy, gx * gy))
    angle = 0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2
    dx, dy = np.cos(angle), np.sin(angle)
    soft = ndimage.gaussian_filter(noise, 1.8)
    total = soft
    for sign in (1, -1):
        y, x = np.mgrid[: grey.shape[0], : grey.shape[1]].astype(float)
        last_x, last_y = dx.copy(), dy.copy()
        for _ in range(length // 2):
            here_x, here_y = (ndimage.map_coordinates(one, (y, x), order=1, mode="nearest") for one in (dx, dy))
            turn = np.where(here_x * last_x + here_y * last_y < 0, -1, 1)
            last_x, last_y = here_x * turn, here_y * turn
            x, y = x + sign * last_x, y + sign * last_y
            total = total + ndimage.map_coordinates(soft, (y, x), order=1, mode="nearest")
    return total


def draw_pictures(G: Generator, out: Path) -> None:
    """Write the three pictures."""
    for name, paint in PICTURES.items():
        with torch.inference_mode():
            face = to_picture(G.synthesize(G.sample([SEEDS[name]], truncation=TRUNCATION), size=_SIDE))[0]
        painted = paint(np.asarray(face, dtype=float) / 255)
        Image.fromarray((255 * np.clip(painted, 0, 1)).round().astype(np.uint8)).save(out / f"{name}.png")


def scaled(style: Style, scale: float) -> Style:
    """The style whose strength 1 is ``scale`` of the given one."""
    parts = {key: part if key.endswith(":right") else part * scale for key, part in style.parts.items()}
    return dataclasses.replace(style, parts=parts)


def main() -> None:
    """Draw, and tune what is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--tune", choices=PICTURES)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--learning-rate", type=float, default=StylizeSettings.learning_rate)
    parser.add_argument("--keep-shape", action="store_true")
    parser.add_argument("--keep-colour", action="store_true")
    parser.add_argument("--texture-weight", type=float, default=0.15)
    parser.add_argument("--identity-weight", type=float, default=0.5)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    G = load()
    if given.tune is None:
        draw_pictures(G, given.out)
        return
    name, begun = given.tune, time.process_time()
    file = given.out / f"{name}.png"
    settings = StylizeSettings(
        steps=given.steps, learning_rate=given.learning_rate, keep_shape=given.keep_shape,
        keep_colour=given.keep_colour, texture_weight=given.texture_weight, identity_weight=given.identity_weight,
    )  # fmt: skip
    about = {
        "pictures": [{"name": file.name, "sha256": Source.of(file).sha256}],
        "source": f"drawn by this project's program from its own sample, seed {SEEDS[name]}",
        "licence": "Apache-2.0",
        "scale": SCALES[name],
    }
    style = stylize(
        G, to_tensor(Image.open(file).convert("RGB")), G.sample([SEEDS[name]], truncation=TRUNCATION), settings,
        name=name, provenance=about,
        on_step=lambda step, loss: print(step, f"{loss:.4f}", f"{time.process_time() - begun:.0f} s", flush=True),
    )  # fmt: skip
    style = scaled(style, SCALES[name])
    style.save(given.out / f"{name}.style.safetensors", overwrite=True)
    print(style.provenance["rank"])


if __name__ == "__main__":
    main()
