"""One person's model from photos: whose face is in each, and the tuning over all of them."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.faces.identity import SAME_PERSON, Embedding, Identity
from stylegan_latents.invert.record.person import LEAST_PHOTOS, Person

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.invert.invert_face import Crop
    from stylegan_latents.invert.inverters.options import Quality
    from stylegan_latents.invert.inverters.tuning import TuningSettings

STEPS_EACH: "dict[Quality, int]" = {"instant": 5, "draft": 15, "good": 30, "best": 60}
"""Steps of tuning for each photo."""


def faces_of_person(photos: Sequence[Sequence[Embedding]], known: Sequence[Embedding] = ()) -> list[int | None]:
    """Find the person that an album is of, in each of its photos.

    Args:
        photos: the embeddings of all faces of each photo.
        known: embeddings of the person, if there are some; otherwise the person is who is in most photos.

    Returns:
        For each photo the number of the person's face; None where all faces are others'.

    Raises:
        InputError: nobody is in enough photos, or two people are in equally many.
    """
    if known:
        return [_nearest(_centre(known), faces) for faces in photos]
    centre, first = _most_frequent(photos)
    if centre is None or len(first) < min(LEAST_PHOTOS, len(photos)):
        raise InputError(
            f"A person's model needs {LEAST_PHOTOS} photos of the same person or more; of these, at most "
            f"{len(first)} show the same."
        )
    others = [faces if place not in first else [] for place, faces in enumerate(photos)]
    _, second = _most_frequent(others)
    if len(second) >= len(first):
        raise InputError(
            f"These photos show several people, two of them in {len(first)} photos each; give the photos of one "
            "person."
        )
    return [_nearest(centre, faces) for faces in photos]


def _centre(faces: Sequence[Embedding]) -> Embedding:
    """The face whose mean distance from the others is smallest."""
    stacked = np.stack(faces)
    distances = np.linalg.norm(stacked[:, None] - stacked[None], axis=2)
    return faces[int(distances.mean(axis=1).argmin())]


def _most_frequent(photos: Sequence[Sequence[Embedding]]) -> tuple[Embedding | None, list[int]]:
    """The face with a face of the same person in most photos, and those photos' numbers."""
    best: Embedding | None = None
    held: list[int] = []
    nearest = np.inf
    for face in (face for faces in photos for face in faces):
        apart = [min((Identity.distance(face, other) for other in faces), default=np.inf) for faces in photos]
        same = [place for place, distance in enumerate(apart) if distance < SAME_PERSON]
        mean = float(np.mean([apart[place] for place in same]))
        if (len(same), -mean) > (len(held), -nearest):
            best, held, nearest = face, same, mean
    return best, held


def _nearest(centre: Embedding, faces: Sequence[Embedding]) -> int | None:
    distances = [Identity.distance(centre, face) for face in faces]
    if not distances or min(distances) >= SAME_PERSON:
        return None
    return int(np.argmin(distances))


def tune_person(
    G: "Generator",
    person: Person,
    crops: "Sequence[Crop | None]",
    settings: "TuningSettings",
    on_step: Callable[[int, int, float], None],
) -> Person:
    """Tune a person's weights to all photos.

    Args:
        G: the generator, which is not changed.
        person: with an anchor for each photo.
        crops: of the photos; None for one that is lost, which the picture of its anchor by the person's earlier
            weights stands in for.
        settings: see ``tune_together``, also for ``on_step`` and errors.

    Returns:
        The person with its weights, and ``lpips_alex``, ``mse`` and ``psnr`` of each photo.
    """
    import torch

    from stylegan_latents.generator.perceptual import as_colour
    from stylegan_latents.invert.album.tuning import AlbumPhoto, tune_together
    from stylegan_latents.invert.photos.files import to_tensor
    from stylegan_latents.invert.record.metrics import measure
    from stylegan_latents.invert.search.identity_loss import FaceIdentity

    ws = person.record.for_generator(G)
    earlier = person.generator(G) if any(crop is None for crop in crops) else G
    photos = []
    for place, crop in enumerate(crops):
        if crop is None:
            with torch.no_grad():
                drawn = as_colour(earlier.synthesize(ws[place : place + 1]))
            photos.append(AlbumPhoto(_to_bytes(drawn)))
            continue
        loss = None
        if settings.identity_weight and crop.face is not None:
            landmarks = crop.face.landmarks.mapped(crop.alignment.into_crop)
            loss = FaceIdentity.of_landmarks([landmarks], crop.alignment.size)
        photos.append(AlbumPhoto(_to_bytes(to_tensor(crop.picture)), loss, crop.in_photo))
    weights, used = tune_together(G, ws, photos, settings, on_step)
    made = person.tuned(weights, used, {})
    tuned = made.generator(G)
    metrics: dict[str, list[float]] = {}
    for place, photo in enumerate(photos):
        image = photo.image.to(G.device).float() / 127.5 - 1
        for name, values in measure(tuned, ws[place : place + 1], image, mask=photo.mask).items():
            metrics.setdefault(name, []).extend(values)
    return person.tuned(weights, used, metrics)


def _to_bytes(images: "Tensor") -> "Tensor":
    import torch

    return ((images.clamp(-1, 1) + 1) * 127.5).round().to("cpu", torch.uint8)
