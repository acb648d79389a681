"""A style of a visitor's own picture."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from stylegan_latents.demo.page.running import Done, Stage, StoppedError
from stylegan_latents.demo.session.shared import KeptStyle
from stylegan_latents.demo.session.styles import known_styles
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.style import making
from stylegan_latents.demo.tabs.style.making import StyleRequest, make_style
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.styles.style import read_style
from tests.demo.visits import StopsAfter, report_all

PHOTO = Path(__file__).parents[3] / "data" / "london_062_neutral.jpg"


def uploaded(visit: Visit, name: str = "meine zeichnung.jpg") -> str:
    upload = visit.studio.uploads / name
    shutil.copyfile(PHOTO, upload)
    return str(upload)


def test_a_picture_gives_a_style_of_its_name(visit: Visit) -> None:
    *stages, done = make_style(visit, uploaded(visit), StyleRequest(keep_shape=True))
    assert isinstance(done, Done)
    assert isinstance(stages[0], Stage)
    assert Path(stages[0].picture or "").is_file()
    kept = done.result
    assert known_styles(visit) == {"meine_zeichnung": kept}
    assert read_style(kept.path).provenance["pictures"][0]["name"] == "meine zeichnung.jpg"  # type: ignore[index,call-overload]
    assert kept.made_by == (
        "edit stylize --like 'meine zeichnung.jpg' --name meine_zeichnung --steps 4 --keep-shape"
    )
    assert kept.word == "meine_zeichnung.style.safetensors"


@pytest.mark.slow
def test_a_stopped_style_is_kept_if_it_is_wanted(visit: Visit) -> None:
    visit.stop = StopsAfter(visit, 3, keep=True)
    *_, done = make_style(visit, uploaded(visit), StyleRequest())
    assert isinstance(done, Done)
    assert done.result.style.provenance["stopped_at_step"] in (1, 2, 3)
    visit.stop = StopsAfter(visit, 3)
    with pytest.raises(StoppedError):
        list(make_style(visit, uploaded(visit), StyleRequest()))
    assert len(known_styles(visit)) == 1


@pytest.mark.slow
def test_what_gives_no_style(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    flat = visit.studio.uploads / "flat.png"
    Image.new("RGB", (200, 200), "white").save(flat)
    with pytest.raises(InputError, match="Drop a style picture first"):
        next(make_style(visit, None, StyleRequest()))
    with pytest.raises(InputError, match="turn “Look for a face” off"):
        next(make_style(visit, str(flat), StyleRequest()))
    with pytest.raises(InputError, match="draft or good"):
        next(make_style(visit, str(flat), StyleRequest(quality="best")))  # type: ignore[arg-type]
    monkeypatch.setattr(making, "run_reporting", report_all)
    for _ in range(6):
        *_, done = make_style(visit, str(flat), StyleRequest(align=False))
    assert isinstance(done, Done)
    assert isinstance(done.result, KeptStyle)
    assert done.result.style.name == "flat-6"
    with pytest.raises(InputError, match="6 styles are kept already"):
        next(make_style(visit, str(flat), StyleRequest(align=False)))
