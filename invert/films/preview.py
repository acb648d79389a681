"""A film of a search: the photo beside the picture of each step."""

import contextlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import atomic_folder, atomic_path
from stylegan_latents.invert.films.encoder import Encoder
from stylegan_latents.invert.films.write import check_film

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from stylegan_latents.invert.inverters.base import Progress

FRAMES_PER_SECOND = 24
_GIF_FRAMES_PER_SECOND = 12  # GIF counts in hundredths of a second, and viewers slow down short ones
_GIF_FRAMES = 72
_HOLD_SECONDS = 1.5
_PNG, _FRAMES = "step_{:04d}.png", "step_*.png"


def check_preview_path(path: Path, overwrite: bool = False) -> None:
    """Refuse, before the search, a film that could not be written after it.

    Raises:
        InputError: the suffix is not known, the file or folder exists and may not be replaced, or its folder may
            not be written.
    """
    if path.suffix.lower() not in (".mp4", ".gif", ""):
        raise InputError(
            f"Cannot write a preview to {path}: end the name with .mp4 or .gif, or give a folder's name."
        )
    check_film(path, overwrite=overwrite, frames=_FRAMES)


@contextlib.contextmanager
def record_preview(
    path: Path, targets: "Tensor", steps: int, *, overwrite: bool = False
) -> Iterator[Callable[["Tensor"], None]]:
    """Give a function that takes the images of each step; a block without an error ends with the film.

    Args:
        path: ``.mp4``, ``.gif`` (every few steps), or a name without a suffix for a folder of PNG frames.
        targets: the photos, float32 ``[N, 3, H, W]`` in [-1, 1]; shown on the left, one row for each.
        steps: how many steps to expect, to thin out a GIF.

    Raises:
        InputError: as ``check_preview_path``, or the film cannot be written.
    """
    check_preview_path(path, overwrite)
    kind = path.suffix.lower()
    # Films are small. Kept in memory, they cannot fail for want of disk space before the code is saved.
    if kind == ".mp4":
        buffer, shown = io.BytesIO(), [np.zeros((0, 0, 3), np.uint8)]
        encoder = Encoder(path, None, FRAMES_PER_SECOND, file=buffer)

        def write(images: "Tensor") -> None:
            shown[0] = np.asarray(_side_by_side(targets, images))
            encoder(shown[0])

        yield write
        for _ in range(int(_HOLD_SECONDS * FRAMES_PER_SECOND) if shown[0].size else 0):
            encoder(shown[0])
        encoder.close()
        with atomic_path(path, overwrite=overwrite) as temporary:
            temporary.write_bytes(buffer.getvalue())
        return
    every = max(1, -(-steps // _GIF_FRAMES)) if kind == ".gif" else 1
    frames: list[Image.Image] = []
    last: list[Tensor] = []
    seen = 0

    def keep(images: "Tensor") -> None:
        nonlocal seen
        if seen % every == 0:
            frames.append(_side_by_side(targets, images))
        seen, last[:] = seen + 1, [images]

    yield keep
    if kind == ".gif":
        frames += [_side_by_side(targets, images) for images in last]
        with atomic_path(path, overwrite=overwrite) as temporary:
            _save_gif(frames, temporary)
    else:
        with atomic_folder(path, _FRAMES) as folder:
            for number, frame in enumerate(frames):
                frame.save(folder / _PNG.format(number))


@contextlib.contextmanager
def film_of_search(
    path: Path | None, photo: "Image.Image", row: int = 0, *, overwrite: bool = False
) -> Iterator[Callable[["Progress"], None]]:
    """Give a function that films one image of a search, whose number of steps it learns from the first one on.

    Args:
        path: as for ``record_preview``; None for no film.
        photo: the crop that is searched.
        row: which of the search's images it is.
        overwrite: whether an existing film may be replaced.
    """
    if path is None:
        yield lambda _progress: None
        return
    from stylegan_latents.invert.photos.files import to_tensor

    with contextlib.ExitStack() as stack:
        add: list[Callable[[Tensor], None]] = []

        def add_frame(progress: "Progress") -> None:
            if not add:
                film = record_preview(path, to_tensor(photo), progress.steps, overwrite=overwrite)
                add.append(stack.enter_context(film))
            add[0](progress.images[row : row + 1])

        yield add_frame


def _side_by_side(targets: "Tensor", images: "Tensor") -> "Image.Image":
    """The photos left of the images, one row each, at the size of ``images``."""
    import torch
    from torch.nn import functional as F

    from stylegan_latents.invert.photos.files import to_picture

    images = images.detach().float().cpu()
    photos = F.interpolate(targets.detach().float().cpu(), size=images.shape[-2:], mode="area")
    rows = torch.cat([photos, torch.nan_to_num(images)], dim=3)
    return to_picture(torch.cat(list(rows), dim=1).unsqueeze(0))[0]


def _save_gif(frames: "list[Image.Image]", path: Path) -> None:
    from PIL import Image

    if not frames:
        raise InputError("There is no step to show in the preview; give --steps at least 1.")
    durations = [1000 // _GIF_FRAMES_PER_SECOND] * len(frames)
    durations[-1] = int(1000 * _HOLD_SECONDS)
    # The octree keeps small areas of colour, such as eyes, that the median cut merges away.
    frames = [frame.quantize(256, method=Image.Quantize.FASTOCTREE) for frame in frames]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=durations, loop=0)
