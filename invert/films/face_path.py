"""The face that a film shows, from its first frame to its last, and the crops that follow it."""

from collections.abc import Callable
from pathlib import Path

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.faces.align import ffhq_quad
from stylegan_latents.invert.faces.detector import Face, FaceDetector, choose_faces
from stylegan_latents.invert.faces.find import DLIB, find_faces, follow_face
from stylegan_latents.invert.films.crop_path import CropPath, plan_crops
from stylegan_latents.invert.films.read import FilmFacts, read_film
from stylegan_latents.invert.photos.crop import Array, no_align


def look_for_faces(
    film: Path,
    facts: FilmFacts,
    *,
    which: str | None,
    every: int = 1,
    limit: int | None = None,
    cutoff: float | None = None,
    detector: FaceDetector = DLIB,
    on_frame: Callable[[int, int], None] = lambda _done, _all: None,
) -> tuple[CropPath, list[float]]:
    """Find the face in every frame that is wanted, and plan the crops.

    Args:
        film: the file.
        facts: of it.
        which: as for ``choose_faces``, where the face is not that of the frame before; None takes
            the middle of each frame as it is.
        every: look at each how manieth frame.
        limit: of the first so many.
        cutoff: as for ``plan_crops``.
        detector: what looks for the face.
        on_frame: told how many frames are done, of how many (0 where the film does not say).

    Returns:
        The crops, and when each frame begins, in seconds.

    Raises:
        InputError: the film cannot be read, changes its size, or shows no face.
    """
    times: list[float] = []
    numbers: list[int] = []
    quads: list[Array | None] = []
    face: Face | None = None
    count = min(limit, facts.count) if limit and facts.count else limit or facts.count
    for frame in read_film(film, limit=limit):
        times.append(frame.time)
        if frame.number % every:
            continue
        numbers.append(frame.number)
        picture = frame.picture()
        if picture.size != facts.size:
            raise InputError(
                f"{film} changes its size at frame {frame.number}; --max-frames {frame.number} leaves that out."
            )
        if which is None:
            quads.append(no_align(picture, 1)[1].quad)
        else:
            face = None if face is None else follow_face(picture, face, detector=detector)
            if face is None:
                found = find_faces(picture, detector=detector)
                face = choose_faces(found, which)[0] if found else None
            quads.append(None if face is None else ffhq_quad(face.landmarks))
        on_frame(len(numbers), -(-count // every))
    path = plan_crops(numbers, quads, every / facts.rate, None if which is None else cutoff)
    if not path.frames:
        raise InputError(
            f"No face was found in the {len(numbers)} frames of {film.name}; use a film of a larger, upright face, "
            "or --no-align when it shows something else."
        )
    return path, times
