import generator
from editing.direction import shipped_path
from editing.discovery.__main__ import main
from tests.small_models import save_small_model


def test_too_few_samples_end_with_one_sentence(tmp_path, capsys):
    model = save_small_model(tmp_path)
    assert main(["--out", str(tmp_path / "out"), "--model", str(model), "--samples", "3"]) == 2
    error = capsys.readouterr().err
    assert "at least 100 samples" in error
    assert "Traceback" not in error
    assert not (tmp_path / "out").exists()


def test_what_could_not_be_written_after_an_hour_is_refused_before_it(tmp_path, capsys):
    model = save_small_model(tmp_path)
    wrong = tmp_path / "notes.txt"
    wrong.write_text("kept")
    assert main(["--out", str(wrong / "found"), "--model", str(model)]) == 2
    assert "is not a folder" in capsys.readouterr().err
    G = generator.load(str(model))
    there = shipped_path(G.latent_space, "smile", tmp_path)
    there.write_text("mine")
    assert main(["--out", str(tmp_path), "--model", str(model)]) == 2
    assert "add --overwrite" in capsys.readouterr().err
    assert there.read_text() == "mine"
    assert wrong.read_text() == "kept"


def test_an_unknown_model_ends_with_one_sentence(tmp_path, capsys):
    assert main(["--out", str(tmp_path), "--model", "fhq"]) == 2
    assert "did you mean ffhq" in capsys.readouterr().err
