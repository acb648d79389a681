"""Users and class codes: who is let in, and what is wrong with a table."""

import asyncio
from pathlib import Path

import httpx
import pytest

from stylegan_latents.demo.cli import main
from stylegan_latents.demo.server import login as logins
from stylegan_latents.demo.server import serve
from stylegan_latents.demo.server.login import login, open_to_others, read_users
from stylegan_latents.demo.server.serve import running
from stylegan_latents.generator.errors import InputError
from tests.demo.small_studio import free_port, small_studio


@pytest.fixture(autouse=True)
def _no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logins, "_WAIT_SECONDS", 0.0)


def table(folder: Path, text: str) -> Path:
    path = folder / "users.csv"
    path.write_text(text, encoding="utf-8")
    return path


def lets_in(known: tuple[logins.Login, str] | None, name: str, password: str) -> bool:
    assert known is not None
    return asyncio.run(known[0](name, password))


def test_users_come_in_by_their_own_passwords(tmp_path: Path) -> None:
    known = login(table(tmp_path, '\ufeffname,password\nann,one two\n\n"bob, jr", x \n'), None)
    assert lets_in(known, "ann", "one two")
    assert lets_in(known, "bob, jr", "x")
    for name, password in (("ann", "x"), ("ann", ""), ("cleo", ""), ("", ""), ("name", "password")):
        assert not lets_in(known, name, password)


def test_everyone_comes_in_by_the_class_code_with_a_name() -> None:
    known = login(None, "sesame")
    assert lets_in(known, "ann", "sesame")
    for name, password in (
        ("ann", "Sesame"),
        ("ann", ""),
        ("", "sesame"),
        ("a\x1b[2J", "sesame"),
        ("a" * 41, "sesame"),
    ):
        assert not lets_in(known, name, password)
    assert login(None, None) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no users"),
        ("name,password\n", "has no users"),
        ("ann\n", "Line 1 of"),
        ("ann,1\nbob,\n", "Line 2 of"),
        ("ann,1,2\n", "is not name,password"),
        ("ann,1\nann,2\n", "again"),
    ],
)
def test_a_table_that_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_users(table(tmp_path, text))


def test_options_that_cannot_be_are_refused_before_the_model_is_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    users = str(table(tmp_path, "ann,1\n"))
    for options, words in (
        (["--auth", users, "--class-code", "sesame"], "exclude each other"),
        (["--class-code", "abc"], "at least 4 letters"),
        (["--auth", str(tmp_path / "none.csv")], "cannot be read"),
    ):
        assert main(["--model", "no-such-model", *options]) == 2
        assert words in " ".join(capsys.readouterr().err.split())


def test_only_an_open_address_warns(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "keep_log", lambda _path: None)  # it would outlive this test's stderr
    assert open_to_others("0.0.0.0", share=False)
    assert open_to_others("127.0.0.1", share=True)
    assert not open_to_others("127.0.0.1", share=False)
    assert not open_to_others("localhost", share=False)
    assert not open_to_others("::1", share=False)
    assert main(["--model", "no-such-model", "--host", "0.0.0.0"]) == 2
    assert "--auth users.csv" in " ".join(capsys.readouterr().err.split())
    assert main(["--model", "no-such-model", "--host", "0.0.0.0", "--class-code", "sesame"]) == 2
    assert "--auth users.csv" not in " ".join(capsys.readouterr().err.split())


def test_a_page_with_users_is_for_them_alone(tmp_path: Path) -> None:
    studio = small_studio(tmp_path)
    try:
        with running(studio, port=free_port(), known=login(None, "sesame")) as address:
            address = address.rstrip("/")
            with httpx.Client(trust_env=False) as http:
                assert http.get(f"{address}/config").status_code == 401
                wrong = http.post(f"{address}/login", data={"username": "ann", "password": "guess"})
                assert wrong.status_code == 400
                right = http.post(f"{address}/login", data={"username": "ann", "password": "sesame"})
                assert right.status_code == 200
                assert http.get(f"{address}/config").status_code == 200
    finally:
        studio.close()
