"""Track the face of a film, and plan the crops."""

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
    """Find the face in every Nth frame, and plan the crops.

    Args:
        film: the file.
        facts: its properties.
        which: as in ``choose_faces``, if the face of the frame before is not found again; None takes the centre
            of each frame instead of a face.
        every: process every Nth frame.
        limit: the maximum number of frames; None for all.
        cutoff: as in ``plan_crops``.
        detector: the face detector.
        on_frame: called with the numbers of finished frames and of all (0 if unknown).

    Returns:
        The crops, and the time of every frame in seconds.

    Raises:
        InputError: the film cannot be read, changes its size, or has no face.
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
