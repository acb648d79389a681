"""One face inverted in memory."""

from pathlib import Path

import pytest

from stylegan_latents.invert.faces.align import find_faces
from stylegan_latents.invert.invert_face import invert_face
from stylegan_latents.invert.inverters.optimize import OptimizationInverter
from stylegan_latents.invert.photos.files import read_photo
from stylegan_latents.invert.record.source import Source
from tests.invert.small_search import exact, small_search
from tests.odd_models import odd_generator

__all__ = ["small_search"]
PHOTO = Path(__file__).parents[1] / "data" / "astronaut.jpg"


@pytest.mark.usefixtures("small_search")
def test_the_record_says_where_the_face_is_and_how_near_it_came() -> None:
    G, photo = odd_generator(), read_photo(PHOTO)
    face = find_faces(photo)[0]
    seen = []
    portrait = invert_face(
        OptimizationInverter(G, exact(3)),
        photo,
        face,
        source=Source.of(PHOTO),
        on_step=lambda progress: seen.append(progress.step),
    )
    record = portrait.inversion
    assert seen == [1, 2, 3]
    assert portrait.picture.size == portrait.crop.size == (64, 64)
    assert record.alignments[0] is not None
    assert record.alignments[0].method == "ffhq"
    assert record.settings["face"] == "largest"
    assert set(record.metrics) == {"lpips_alex", "mse", "psnr"}


@pytest.mark.usefixtures("small_search")
def test_without_a_face_the_middle_is_taken() -> None:
    portrait = invert_face(
        OptimizationInverter(odd_generator(), exact(1)),
        read_photo(PHOTO),
        None,
        source=Source.of(PHOTO),
    )
    assert portrait.inversion.settings["face"] is None
    assert portrait.inversion.alignments[0] is not None
    assert portrait.inversion.alignments[0].method != "ffhq"
