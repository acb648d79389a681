from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylegan_latents.editing.commands.cli import main
from tests.editing.repose.people import FOLDER, figure, lookup, save_files

MODEL = ("--model", "model.pt", "--device", "cpu")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_files(tmp_path)


def test_a_person_takes_anothers_pose(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["repose", "me.png", "--to", "you_iuv.png", *MODEL]) == 0
    shown = capsys.readouterr()
    assert "Wrote me.repose.you.png" in shown.out
    assert not shown.err
    drawn = Image.open("me.repose.you.png")
    assert drawn.size == (172, 256)
    assert main(["repose", "me.png", "--to", "you_iuv.png", "--seed", "1", "--out", "other.png", *MODEL]) == 0
    assert Image.open("other.png").tobytes() != drawn.tobytes()


def test_a_person_wears_anothers_clothes(capsys: pytest.CaptureFixture[str]) -> None:
    Path("me_iuv.png").rename("body.png")
    Path("me_sil.png").unlink()
    assert main(["repose", "me.png", "--iuv", "body.png", "--wear", "you.png", "--part", "face", *MODEL]) == 0
    shown = capsys.readouterr()
    assert "Wrote me.repose.you.face.png" in shown.out
    assert "me.png has no silhouette" in shown.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Say what changes"),
        (["--to", "you_iuv.png", "--part", "face"], "--part says which clothes"),
        (["--to", "missing.png"], "missing.png"),
        (["--to", "you.png"], "no IUV map"),
        (["--iuv", "half.png", "--to", "you_iuv.png"], "half.png is 86x128 pixels and me.png 172x256"),
        (["--silhouette", "half.png", "--to", "you_iuv.png"], "half.png is 86x128"),
        (["--wear", "half.png"], "half_iuv.png"),
        (["--to", "you_iuv.png", "--completion", "model.pt"], "model.pt is not a coordinate completion"),
        (["--to", "you_iuv.png", "--lookup", "missing.npy"], "There is no file missing.npy"),
        (["--to", "you_iuv.png", "--model", "CCM_epoch50.pt"], "not a model of Pose With Style"),
        (["--to", "you_iuv.png", "--model", "."], ". is a folder; name the model in it"),
        (["--wear", "."], ". is a folder; name a photo"),
        (["--to", "you_iuv.png", "--out", "you_iuv.png"], "exists already"),
        (["--to", "you_iuv.png", "--out", "you_iuv.png", "--overwrite"], "one of the pictures that are read"),
        (["--to", "you_iuv.png", "--out", "a.txt"], "no known picture format"),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(figure(86, 128)).save("half.png")
    before = sorted(Path().iterdir())
    assert main(["repose", "me.png", *MODEL, *words]) == 2
    assert sentence in capsys.readouterr().err.strip().splitlines()[-1]
    assert sorted(Path().iterdir()) == before


def test_files_of_the_model_need_not_lie_beside_it() -> None:
    np.save("table.npy", lookup())
    files = ["--completion", str(FOLDER / "completion.pt"), "--lookup", "table.npy"]
    words = ["--model", str(FOLDER / "256.pt"), "--device", "cpu", *files]
    assert main(["repose", "me.png", "--to", "you_iuv.png", *words]) == 0
