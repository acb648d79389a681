"""How much a film's inversion trembles, with and without smoothing, and what the smoothing costs in likeness.

    python -m tests.benchmarks.temporal ../shared/photos/london_009_neutral.jpg --out films/
    python -m tests.benchmarks.temporal PHOTO --record me.inversion.safetensors   # begins from a code that is there

Two films are made: the photo, moved, zoomed and turned as by a hand that holds a camera, with a camera's noise; and
pictures that the generator draws while a head turns and smiles, moved likewise. In the first the person stands
still, so whatever moves in the aligned picture is a fault. Each is inverted with the crop as it is found and
smoothed, and the codes as they are searched and smoothed; with --independent also by a new search for each frame,
from W's mean.

crop: how far the crop's corners are from the middle between the frames before and after, root mean square, in % of
its side. picture: the same of what the generator draws, in levels of 255 at 256 pixels (what moves evenly counts
nothing). LPIPS: from the smoothed crop, at 256 pixels, so that the numbers are of the same pictures.
"""

import argparse
import math
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from stylegan_latents import generator
from stylegan_latents.editing.directions.catalogue import find_direction
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.perceptual import LPIPS, area_resize
from stylegan_latents.invert.commands.film_session import CODE_CUTOFF, CROP_CUTOFF
from stylegan_latents.invert.faces.align import align_face, ffhq_quad, require_faces
from stylegan_latents.invert.faces.detector import Face
from stylegan_latents.invert.faces.find import find_faces, follow_face
from stylegan_latents.invert.films.crop_path import plan_crops
from stylegan_latents.invert.films.follow import Follower, FollowSettings
from stylegan_latents.invert.films.read import read_film
from stylegan_latents.invert.films.smooth import smooth
from stylegan_latents.invert.films.write import write_film
from stylegan_latents.invert.inverters.base import SearchSettings
from stylegan_latents.invert.inverters.optimize import OptimizationInverter
from stylegan_latents.invert.photos.crop import Alignment, crop_of
from stylegan_latents.invert.photos.files import read_photo, to_picture, to_tensor
from stylegan_latents.invert.record.inversion import Inversion

SIDE, RATE, COMPARED = 720, 25, 256


def moved(picture: Image.Image, time: float, noise: np.random.Generator) -> Image.Image:
    """The picture as a camera in a hand sees it, ``SIDE`` pixels square, with noise."""
    angle, zoom = 0.10 * math.sin(2.1 * time), 1 + 0.10 * math.sin(1.3 * time + 1)
    shift = np.array([0.05 * math.sin(2.7 * time), 0.04 * math.sin(1.9 * time + 2)]) * SIDE
    scale = min(picture.size) / SIDE / zoom
    a, b = scale * math.cos(angle), scale * math.sin(angle)
    middle = np.array(picture.size) / 2
    centre = SIDE / 2 + shift
    offset = middle - np.array([a * centre[0] + b * centre[1], -b * centre[0] + a * centre[1]])
    matrix = (a, b, float(offset[0]), -b, a, float(offset[1]))
    seen = picture.transform((SIDE, SIDE), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)
    pixels = np.asarray(seen, dtype=np.float32) + noise.normal(0, 3, (SIDE, SIDE, 1))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def drawn_head(G: Generator, ws: Tensor, time: float) -> Image.Image:
    """A head that turns and smiles, on a grey ground."""
    pose, smile = find_direction("pose", G), find_direction("smile", G)
    codes = smile.apply(pose.apply(ws, 1.2 * math.sin(2.2 * time)), 0.9 * math.sin(3.1 * time))
    with torch.inference_mode():
        picture = to_picture(G.synthesize(codes, size=512))[0]
    ground = Image.new("RGB", (SIDE, SIDE), picture.resize((1, 1)).getpixel((0, 0)))
    ground.paste(picture.resize((560, 560), Image.Resampling.LANCZOS), (80, 80))
    return ground


def save_film(path: Path, pictures: Sequence[Image.Image]) -> None:
    with write_film(path, fps=RATE, overwrite=True) as write:
        for picture in pictures:
            write(np.asarray(picture))


def tremble(values: np.ndarray) -> float:
    """How far each of a row of things lies from the middle of its neighbours, root mean square."""
    return float(np.sqrt(np.mean((values[1:-1] - (values[:-2] + values[2:]) / 2) ** 2)))


class Measured:
    """One film, and the crops of its frames."""

    def __init__(self, G: Generator, path: Path) -> None:
        self.G = G
        self.pictures = [frame.picture() for frame in read_film(path)]
        face: Face | None = None
        self.quads = []
        begun = time.perf_counter()
        for picture in self.pictures:
            face = None if face is None else follow_face(picture, face)
            face = face or next(iter(find_faces(picture)), None)
            self.quads.append(None if face is None else ffhq_quad(face.landmarks))
        seconds = (time.perf_counter() - begun) / len(self.pictures)
        self.raw, self.smooth = (
            plan_crops(range(len(self.pictures)), self.quads, 1 / RATE, cutoff) for cutoff in (None, CROP_CUTOFF)
        )
        assert len(self.smooth.frames) == len(self.pictures), "the face was lost"
        side = float(np.hypot(*(self.smooth.quads[0, 3] - self.smooth.quads[0, 0])))
        for name, plan in (("as found", self.raw), ("smoothed", self.smooth)):
            print(f"  crop {name}: {100 * tremble(plan.quads) / side:.3f} % of its side ({seconds:.2f} s a frame)")
        self.lpips = LPIPS.load("alex")
        self.wanted = torch.cat([self.crop(self.smooth.quads[i], i, COMPARED) for i in range(len(self.pictures))])

    def crop(self, quad: np.ndarray, index: int, side: int) -> Tensor:
        picture = self.pictures[index]
        return to_tensor(crop_of(picture, Alignment(quad, picture.size, self.G.resolution, "ffhq"), side))

    def follow(self, quads: np.ndarray, first: Tensor, follower: Follower) -> Tensor:
        codes = [first]
        for index in range(1, len(self.pictures)):
            codes.append(follower.follow(self.crop(quads[index], index, COMPARED), codes[-1]))
        return torch.cat(codes)

    def say(self, name: str, ws: Tensor, seconds: float, out: Path) -> None:
        with torch.inference_mode():
            drawn = torch.cat([self.G.synthesize(code[None], size=COMPARED) for code in ws]).clamp(-1, 1)
            near = [
                float(self.lpips(one[None], area_resize(two[None], COMPARED)))
                for one, two in zip(drawn, self.wanted[: len(ws)], strict=True)
            ]
        save_film(out, to_picture(torch.cat([drawn, self.wanted[: len(ws)]], dim=3)))
        print(
            f"  {name:34} picture {tremble(127.5 * drawn.numpy()):5.2f}   LPIPS {np.mean(near):.4f}"
            f"   {seconds:5.1f} s a frame",
            flush=True,
        )


def smoothed(ws: Tensor) -> Tensor:
    """Codes after the filter that ``invert`` puts over them."""
    rows = ws.flatten(1).double().numpy()
    done = smooth(rows, np.ones(len(rows), dtype=bool), CODE_CUTOFF / RATE)
    return torch.from_numpy(done).float().reshape(ws.shape)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--record", type=Path, help="of the photo, to begin from")
    parser.add_argument("--frames", type=int, default=25)
    parser.add_argument("--only", choices=["photo", "head"])
    parser.add_argument("--steps", type=int, default=10, help="for each frame")
    parser.add_argument("--independent", type=int, default=0, help="search so many frames anew, too")
    parser.add_argument("--out", type=Path, default=Path("films"), help="folder for the films, to look at")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    G = generator.load("ffhq")
    photo = read_photo(chosen.photo)
    crop, _ = align_face(photo, require_faces(photo)[0], G.resolution)
    first = (
        Inversion.load(chosen.record).ws
        if chosen.record is not None
        else OptimizationInverter(G).invert(to_tensor(crop)).ws
    )
    noise = np.random.default_rng(0)
    times = [i / RATE for i in range(chosen.frames)]
    films = {
        "photo": lambda: [moved(photo, at, noise) for at in times],
        "head": lambda: [moved(drawn_head(G, first, at), at, noise) for at in times],
    }
    follower = Follower(G, FollowSettings(steps=chosen.steps))
    for name, make in films.items():
        if chosen.only not in (None, name):
            continue
        path = chosen.out / f"{name}.mp4"
        save_film(path, make())
        print(f"{name}, {chosen.frames} frames:")
        film = Measured(G, path)
        start = (
            first
            if name == "photo"
            else Follower(G, FollowSettings(steps=3 * chosen.steps)).follow(film.wanted[:1], first)
        )
        for crops, plan in (("as found", film.raw), ("smoothed", film.smooth)):
            begun = time.perf_counter()
            ws = film.follow(plan.quads, start, follower)
            seconds = (time.perf_counter() - begun) / (chosen.frames - 1)
            for codes, done in (("as searched", ws), ("smoothed", smoothed(ws))):
                kept = chosen.out / f"{name}.crop-{crops}.code-{codes}.mp4".replace(" ", "-")
                film.say(f"crop {crops}, code {codes}", done, seconds, kept)
        if chosen.independent:
            begun = time.perf_counter()
            images = [film.crop(film.smooth.quads[i], i, 512) for i in range(chosen.independent)]
            ws = torch.cat([OptimizationInverter(G, SearchSettings(steps=80)).invert(image).ws for image in images])
            seconds = (time.perf_counter() - begun) / chosen.independent
            film.say("each frame anew, 80 steps", ws, seconds, chosen.out / f"{name}.independent.mp4")


if __name__ == "__main__":
    main()
