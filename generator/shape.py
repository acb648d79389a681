"""The head of a three-dimensional model: its surface as a coloured mesh, or its densities as a volume."""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import atomic_path
from stylegan_latents.generator.generator import Generator, Noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDES = (16, 512)
"""The fewest and the most samples along a side of the cube."""

_AT_ONCE = 1 << 18


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles.

    Attributes:
        vertices: float32 ``[V, 3]``: x to the viewer's right, y up, z towards the viewer, in the model's units.
        colours: uint8 ``[V, 3]``.
        faces: int32 ``[F, 3]``, counter-clockwise seen from outside.
    """

    vertices: "NDArray[np.float32]"
    colours: "NDArray[np.uint8]"
    faces: "NDArray[np.int32]"

    def save_ply(self, path: Path, *, overwrite: bool = False) -> None:
        """Write a binary PLY file, which programs for meshes read.

        Raises:
            InputError: ``path`` does not end with ``.ply``, exists and may not be replaced, or cannot be written.
        """
        if path.suffix.lower() != ".ply":
            raise InputError(f"Cannot write {path}: give a name that ends with .ply.")
        corners = np.empty(len(self.vertices), [("place", "<f4", 3), ("colour", "u1", 3)])
        corners["place"], corners["colour"] = self.vertices, self.colours
        triangles = np.empty(len(self.faces), [("count", "u1"), ("corners", "<i4", 3)])
        triangles["count"], triangles["corners"] = 3, self.faces
        header = [
            "ply", "format binary_little_endian 1.0", f"element vertex {len(corners)}",
            *(f"property float {axis}" for axis in "xyz"),
            *(f"property uchar {colour}" for colour in ("red", "green", "blue")),
            f"element face {len(triangles)}", "property list uchar int vertex_indices", "end_header\n",
        ]  # fmt: skip
        with atomic_path(path, overwrite=overwrite) as temporary:
            temporary.write_bytes("\n".join(header).encode() + corners.tobytes() + triangles.tobytes())


@dataclass(frozen=True, eq=False)
class Volume:
    """Densities on a cube of samples.

    Attributes:
        densities: float32 ``[S, S, S]``, by x to the viewer's right, y up and z towards the viewer.
        box: the cube's side, whose middle is the origin, in the model's units.
        level: the density of the model's own surface.
    """

    densities: "NDArray[np.float32]"
    box: float
    level: float

    def save_mrc(self, path: Path, *, overwrite: bool = False) -> None:
        """Write an MRC file (Cheng et al., "MRC2014", 2015), which programs for volumes read.

        Raises:
            InputError: ``path`` does not end with ``.mrc``, exists and may not be replaced, or cannot be written;
                mrcfile is not installed.
        """
        if path.suffix.lower() != ".mrc":
            raise InputError(f"Cannot write {path}: give a name that ends with .mrc.")
        mrcfile = _needed("mrcfile")
        with (
            atomic_path(path, overwrite=overwrite) as temporary,
            mrcfile.new(temporary, np.ascontiguousarray(self.densities.transpose(2, 1, 0)), overwrite=True) as file,
        ):
            file.voxel_size = self.box / (len(self.densities) - 1)
            file.header.origin.x = file.header.origin.y = file.header.origin.z = -self.box / 2


def check_shape_file(path: Path) -> None:
    """Raise InputError for a name that ends neither with ``.ply`` nor ``.mrc``, or if its package is missing."""
    if path.suffix.lower() not in (".ply", ".mrc"):
        raise InputError(f"Cannot write {path}: give a name that ends with .ply (mesh) or .mrc (densities).")
    _needed("mrcfile" if path.suffix.lower() == ".mrc" else "skimage.measure")


def _needed(module: str) -> Any:
    """A module of the extra ``shape``; InputError if it is not installed."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = "mrcfile" if module == "mrcfile" else "scikit-image"
        raise InputError(
            f'A shape needs {package}; install it with `pip install "stylegan-latents[shape]"`.'
        ) from error


@torch.inference_mode()
def find_shape(
    G: Generator, ws: Tensor, noise: Noise = "const", *, side: int = 256, level: float | None = None
) -> Mesh:
    """The surface of a code's head, by marching cubes over the densities.

    Args:
        G: a three-dimensional model.
        ws: ``[1, num_ws, w_dim]``.
        noise: as for ``Generator.synthesize``.
        side: samples along a side of the cube that the head is in, in ``SIDES``.
        level: density of the surface, smaller for a larger head; None for the model's own.

    Raises:
        InputError: the model is flat, scikit-image is not installed, or nothing is as dense as ``level``.
        ValueError: ``side`` is out of range, or there are several codes.
    """
    solid = _solid(G, ws, noise, side)
    march = _needed("skimage.measure").marching_cubes
    look, box, level = solid.look, solid.box, solid.level if level is None else level
    grid = _densities(solid, side, ws.device)
    inside = slice(margin := max(int(solid.margin * side), 1), side - margin)
    closed = np.full_like(grid, min(float(grid.min()), level) - 1)
    closed[inside, inside, inside] = grid[inside, inside, inside]
    if not closed.max() > level:
        raise InputError(f"There is no surface: nothing is as dense as {level:g}; give a smaller --level.")
    vertices, faces, *_ = march(closed, level, gradient_direction="ascent")
    places = torch.from_numpy(vertices / (side - 1) - 0.5).float() * box
    parts = [look(part.to(ws.device))[1] for part in torch.split(places, _AT_ONCE)]
    colours = torch.cat(parts).clamp(0, 1).mul(255).round().to(torch.uint8).cpu()
    return Mesh(places.numpy(), colours.numpy(), faces.astype(np.int32))


@torch.inference_mode()
def find_volume(G: Generator, ws: Tensor, noise: Noise = "const", *, side: int = 256) -> Volume:
    """The densities of a code's head; arguments and errors are as for ``find_shape``."""
    solid = _solid(G, ws, noise, side)
    return Volume(_densities(solid, side, ws.device), solid.box, solid.level)


def _solid(G: Generator, ws: Tensor, noise: Noise, side: int) -> Any:
    G.check_camera()
    if not SIDES[0] <= side <= SIDES[1] or len(ws) != 1:
        raise ValueError(f"a shape is of one code, with {SIDES[0]} to {SIDES[1]} samples a side, got {side}")
    return G.synthesis.solid(G.styles(ws), G.synthesis.noise_maps(noise, 0, 1))


def _densities(solid: Any, side: int, device: torch.device) -> "NDArray[np.float32]":
    """Densities ``[side, side, side]`` on a solid's cube."""
    line = (torch.arange(side, device=device) / (side - 1) - 0.5) * solid.box
    plane = torch.cartesian_prod(line, line)
    slices = [solid.look(torch.cat([x.expand(len(plane), 1), plane], dim=1))[0].cpu() for x in line]
    grid: NDArray[np.float32] = torch.cat(slices).reshape(side, side, side).float().numpy()
    return grid
