from editing.discovery.__main__ import main
from tests.small_models import save_small_model


def test_too_few_samples_end_with_one_sentence(tmp_path, capsys):
    model = save_small_model(tmp_path)
    assert main(["--out", str(tmp_path / "out"), "--model", str(model), "--samples", "3"]) == 2
    error = capsys.readouterr().err
    assert "at least 100 samples" in error
    assert "Traceback" not in error
    assert not (tmp_path / "out").exists()


def test_an_unknown_model_ends_with_one_sentence(tmp_path, capsys):
    assert main(["--out", str(tmp_path), "--model", "fhq"]) == 2
    assert "did you mean ffhq" in capsys.readouterr().err
