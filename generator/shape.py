"""The surface of a three-dimensional model's head, as a coloured mesh."""

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
        check_ply(path)
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


def check_ply(path: Path) -> None:
    """Raise InputError for a name that does not end with ``.ply``."""
    if path.suffix.lower() != ".ply":
        raise InputError(f"Cannot write {path}: give a name that ends with .ply.")


def marching_cubes() -> Any:
    """scikit-image's function; InputError if it is not installed."""
    try:
        from skimage.measure import marching_cubes as found
    except ModuleNotFoundError as error:
        raise InputError(
            'A shape needs scikit-image; install it with `pip install "stylegan-latents[shape]"`.'
        ) from error
    return found


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
    G.check_camera()
    if not SIDES[0] <= side <= SIDES[1] or len(ws) != 1:
        raise ValueError(f"a shape is of one code, with {SIDES[0]} to {SIDES[1]} samples a side, got {side}")
    march, synthesis = marching_cubes(), G.synthesis
    solid = synthesis.solid(G.styles(ws), synthesis.noise_maps(noise, 0, 1))
    look, box, level = solid.look, solid.box, solid.level if level is None else level
    line = (torch.arange(side, device=ws.device) / (side - 1) - 0.5) * box
    plane = torch.cartesian_prod(line, line)
    densities = torch.cat([
        look(torch.cat([x.expand(len(plane), 1), plane], dim=1))[0].cpu() for x in line
    ])  # fmt: skip
    grid = densities.reshape(side, side, side).numpy()
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
