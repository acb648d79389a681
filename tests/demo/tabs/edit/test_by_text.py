"""A face changed by a text, with a small model of colours in the place of CLIP."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from stylegan_latents.demo.page.running import Done
from stylegan_latents.demo.session.edited import edited_face
from stylegan_latents.demo.session.examples import seed_face
from stylegan_latents.demo.session.shared import Texts
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.edit import by_text
from stylegan_latents.generator.errors import InputError
from tests.demo.small_studio import small_studio
from tests.editing.discovery.finders.test_text import ColourTexts


@pytest.fixture(name="reader")
def _reader(tmp_path: Path) -> Iterator[Visit]:
    """A visit of a demo with an image-text model."""
    studio = small_studio(tmp_path, texts=Texts(ColourTexts(), "colours.safetensors"))
    yield studio.enter("one")
    studio.close()


def test_a_face_that_fits_better_is_added_with_its_edits_and_its_command(reader: Visit) -> None:
    face = seed_face(reader, 1)
    face.history.push({"pose": 1.0})
    *steps, done = by_text.change_face(reader, face.name, " a red picture ", 6)
    assert isinstance(done, Done)
    assert all(isinstance(step, int) for step in steps)
    record = done.result.record.inversion
    assert (record.method, record.settings["text"]) == ("text", "a red picture")
    assert record.settings["steps"] == 6
    assert not torch.equal(record.ws, edited_face(reader, face.name).record.ws)
    assert done.result.name in reader.faces
    assert done.result.made_by.splitlines()[0] == (
        "edit text 'a red picture' seed1.pose+1.inversion.safetensors --steps 6 --weights colours.safetensors"
    )


@pytest.mark.parametrize(
    ("name", "text", "steps", "words"),
    [("seed1", "  ", 5, "Say what"), ("seed1", "a red picture", 0, "from 1 to"), ("nobody", "x", 5, "no face")],
)
def test_what_cannot_be_done_is_told(reader: Visit, name: str, text: str, steps: int, words: str) -> None:
    seed_face(reader, 1)
    with pytest.raises(InputError, match=words):
        list(by_text.change_face(reader, name, text, steps))


def test_without_clip_there_is_no_change_by_words(visit: Visit) -> None:
    seed_face(visit, 1)
    with pytest.raises(InputError, match="--clip"):
        list(by_text.change_face(visit, "seed1", "a red picture", 5))
