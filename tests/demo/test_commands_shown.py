"""Every command line that the page shows makes the same picture or film, beside the records that it names."""

import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylegan_latents.demo.page.running import Done
from stylegan_latents.demo.session.examples import seed_face
from stylegan_latents.demo.session.photos import receive
from stylegan_latents.demo.session.shared import Texts
from stylegan_latents.demo.session.styles import draw_in_style, style_commands
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.album.person import make_person
from stylegan_latents.demo.tabs.album.photos import add_photos, find_each
from stylegan_latents.demo.tabs.drag.dragging import DragRequest, drag_face
from stylegan_latents.demo.tabs.edit import drawing, searching
from stylegan_latents.demo.tabs.edit.by_text import change_face
from stylegan_latents.demo.tabs.edit.search_panel import mask_of_photo
from stylegan_latents.demo.tabs.film.inverting import edit_film, invert_film
from stylegan_latents.demo.tabs.interpolate.film import FilmRequest, draw_film
from stylegan_latents.demo.tabs.mix.by_layer import Share, keep_mix
from stylegan_latents.demo.tabs.mix.figure import draw_figure
from stylegan_latents.demo.tabs.style.making import StyleRequest, make_style
from stylegan_latents.editing.commands.cli import main as edit
from stylegan_latents.editing.text import image_text
from stylegan_latents.invert.album.build import STEPS_EACH
from stylegan_latents.invert.commands.cli import main as invert
from stylegan_latents.invert.films.read import read_film
from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.record.person import Person
from tests.demo.small_studio import save_wide_model, small_studio
from tests.demo.tabs.album.test_photos import squares
from tests.demo.tabs.film.test_inverting import uploaded as uploaded_film
from tests.editing.discovery.finders.test_text import ColourTexts

pytestmark = pytest.mark.slow
PHOTO = Path(__file__).parents[1] / "data" / "london_062_neutral.jpg"


@pytest.fixture(autouse=True, name="folder")
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command lines run."""
    folder = tmp_path / "mine"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def run_lines(text: str, folder: Path, *, named: bool = False) -> None:
    """Run the command lines with the small model; ``named`` if they name it themselves."""
    model = folder.parent / "small.safetensors"
    if not model.exists():
        save_wide_model(folder.parent)
    further = ["--overwrite"] if named else ["--model", str(model), "--overwrite"]
    for line in text.splitlines():
        program, *words = shlex.split(line)
        if program == "mv":
            Path(words[0]).rename(words[1])
        else:
            run = edit if program == "edit" else invert
            assert run([*words, *further]) == 0, line


def same(first: Path, second: Path) -> bool:
    with Image.open(first) as one, Image.open(second) as two:
        return one.size == two.size and bool((np.asarray(one) == np.asarray(two)).all())


def test_of_a_sample_and_its_edits(visit: Visit, folder: Path) -> None:
    result = drawing.finished(visit, seed_face(visit, 3), {"pose": 2.0, "smile": -1.0})
    run_lines(result.command, folder)
    assert same(folder / Path(result.picture).name, Path(result.picture))


def test_of_a_photo_whose_name_has_spaces_and_accents(visit: Visit, folder: Path) -> None:
    name = "mein schönes photo.jpg"
    upload = visit.studio.uploads / name
    shutil.copyfile(PHOTO, upload)
    shutil.copyfile(PHOTO, folder / name)
    photo = receive(visit, str(upload))
    *_, face = searching.search(visit, photo, photo.largest)
    assert not isinstance(face, searching.Stage)
    for view in ("Face", "Whole photo"):
        result = drawing.finished(visit, face, {"pose": 2.0}, view)
        run_lines(result.command, folder)
        written = max(folder.glob("*.pose+2*.png"), key=lambda path: path.stat().st_mtime_ns)
        assert same(written, Path(result.picture)), view


@pytest.mark.parametrize("method", ["pivotal", "layered"])
def test_of_a_nearer_search_of_a_photo_with_a_painted_part(
    visit: Visit, folder: Path, method: searching.Closer
) -> None:
    upload = visit.studio.uploads / PHOTO.name
    shutil.copyfile(PHOTO, upload)
    shutil.copyfile(PHOTO, folder / PHOTO.name)
    photo = receive(visit, str(upload))
    painted = Image.new("L", (200, 200), 0)
    painted.paste(255, (80, 100, 120, 140))
    mask = mask_of_photo(visit, photo, painted)
    shutil.copyfile(mask, folder / mask.name)
    *_, face = searching.search(visit, photo, photo.largest, closer=method, mask=mask)
    assert not isinstance(face, searching.Stage)
    record = face.record.inversion
    assert record.method == method
    assert record.weights is not None
    result = drawing.finished(visit, face, {"pose": 2.0})
    run_lines(result.command, folder)
    assert same(folder / Path(result.picture).name, Path(result.picture))
    made = Inversion.load(folder / face.path.name)
    assert {name: made.settings[name] for name in ("mask", "face")} == {
        name: record.settings[name] for name in ("mask", "face")
    }


def test_of_a_change_by_words(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_text, "OpenCLIP", lambda *_, **__: ColourTexts())
    studio = small_studio(tmp_path, texts=Texts(ColourTexts(), "colours"))
    visit = studio.enter("one")
    run_lines(seed_face(visit, 1).made_by, folder)
    *_, done = change_face(visit, "seed1", "a red picture", 5)
    assert isinstance(done, Done)
    result = drawing.finished(visit, done.result, {"pose": 1.0})
    run_lines(result.command, folder)
    assert same(folder / Path(result.picture).name, Path(result.picture))
    studio.close()


def test_of_another_model_name_it(tmp_path: Path, folder: Path) -> None:
    save_wide_model(folder)
    studio = small_studio(tmp_path, model="/models/of/mine/small.safetensors")
    visit = studio.enter("one")
    faces = [seed_face(visit, seed) for seed in (1, 2)]
    mixed = keep_mix(visit, faces[0].name, [Share("coarse", faces[1].name, 1.0)])
    result = drawing.finished(visit, mixed, {"pose": 2.0})
    lines = "\n".join([*(face.made_by for face in faces), result.command])
    assert "/models" not in lines
    run_lines(lines, folder, named=True)
    assert same(folder / Path(result.picture).name, Path(result.picture))
    studio.close()


def test_of_a_mix_a_figure_and_a_drag(visit: Visit, folder: Path) -> None:
    for seed in (1, 2):
        run_lines(seed_face(visit, seed).made_by, folder)
    mixed = keep_mix(visit, "seed1", [Share("coarse", "seed2", 1.0), Share("fine", "seed2", 0.5)])
    run_lines(mixed.made_by, folder)
    result = drawing.finished(visit, mixed, {"age": 1.0})
    run_lines(result.command, folder)
    assert same(folder / Path(result.picture).name, Path(result.picture))
    *_, done = draw_figure(visit, ["seed1", "seed2"], [], "coarse", 1.0)
    assert isinstance(done, Done)
    before = set(folder.iterdir())
    run_lines(done.result[1], folder)
    (written,) = set(folder.iterdir()) - before
    assert written.suffix == ".png"
    *_, dragged = drag_face(visit, "seed1", DragRequest(((8.0, 8.0), (10.0, 8.0)), steps=5))
    assert isinstance(dragged, Done)
    run_lines(dragged.result.face.made_by, folder)
    result = drawing.finished(visit, dragged.result.face, {"age": 1.0})
    run_lines(result.command.splitlines()[-1], folder)
    assert same(folder / Path(result.picture).name, Path(result.picture))


def test_of_a_film(visit: Visit, folder: Path) -> None:
    for seed in (1, 2):
        run_lines(seed_face(visit, seed).made_by, folder)
    *_, done = draw_film(visit, FilmRequest(("seed1", "seed2"), 0.5, 12, 32, easing="smooth", end="loop"))
    assert isinstance(done, Done)
    path, command = done.result
    run_lines(command, folder)
    assert (folder / "morph.mp4").read_bytes() == Path(path).read_bytes()


def test_of_films_along_a_direction_and_into_a_style_of_ones_own(visit: Visit, folder: Path) -> None:
    shutil.copyfile(PHOTO, visit.studio.uploads / PHOTO.name)
    shutil.copyfile(PHOTO, folder / PHOTO.name)
    *_, made = make_style(visit, str(visit.studio.uploads / PHOTO.name), StyleRequest("ink", keep_colour=True))
    assert isinstance(made, Done)
    face = seed_face(visit, 1)
    run_lines(face.made_by, folder)
    for request in (
        FilmRequest(("seed1",), 0.5, 12, 32, direction="smile", end="back"),
        FilmRequest(("seed1",), 0.5, 12, 32, style="ink", style_strength=0.8, kind="gif"),
    ):
        *_, done = draw_film(visit, request)
        assert isinstance(done, Done)
        path, command = done.result
        run_lines(command, folder)
        assert (folder / request.file).read_bytes() == Path(path).read_bytes()
    face.history.push({"pose": 1.0})
    drawn = draw_in_style(visit, face, made.result, 0.7, preview=False)
    run_lines(style_commands(visit, face, made.result, 0.7), folder)
    (written,) = folder.glob("*pose+1*.png")
    with Image.open(written) as picture:
        assert (np.asarray(picture) == np.asarray(drawn)).all()


def test_of_an_album_and_its_model(visit: Visit, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STEPS_EACH, "draft", 1)
    for upload in squares(visit, 3):
        shutil.copyfile(upload, folder / Path(upload).name)
        list(add_photos(visit, [upload], align=False))
    *_, made = make_person(visit, "anna", quality="draft")
    assert isinstance(made, Done)
    kept, _ = made.result
    run_lines(kept.made_by, folder)
    assert Person.load(folder / kept.path.name).sha256 == Person.load(kept.path).sha256
    list(find_each(visit, quality="draft", person=kept))
    for name, face in visit.faces.items():
        run_lines(face.made_by, folder)
        found = Inversion.load(folder / f"{name}.inversion.safetensors")
        assert (found.ws == face.record.inversion.ws).all()


def test_of_a_film_that_was_uploaded(visit: Visit, folder: Path) -> None:
    upload = uploaded_film(visit)
    shutil.copyfile(upload, folder / Path(upload).name)
    *_, found = invert_film(visit, upload, align=False)
    *_, done = edit_film(visit, {"pose": 2.0})
    assert isinstance(found, Done)
    assert isinstance(done, Done)
    path, command = done.result
    run_lines(command, folder)
    (written,) = folder.glob("*.pasted.mp4")
    one, other = (
        np.stack([np.asarray(frame.picture(), int) for frame in read_film(file)]) for file in (written, path)
    )
    # In bfloat16 sums are not always added in the same order.
    assert np.abs(one - other).mean() < 0.5
