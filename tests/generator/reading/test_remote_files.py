import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import pytest

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.reading.remote_files import (
    address_of,
    exists_at,
    joined,
    list_addresses,
    open_file,
    read_address,
    write_address,
)


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(name="server")
def _server(tmp_path: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("s3://bucket/photos/", "s3://bucket/photos"),
        ("https://host/a.jpg", "https://host/a.jpg"),
        ("file:///tmp/a.jpg", "file:///tmp/a.jpg"),
        ("C:/photos", None),
        ("./s3:/photos", None),
        ("photos/a.jpg", None),
        ("/photos", None),
    ],
)
def test_an_address_is_told_from_a_path(typed: str, meant: str | None) -> None:
    found = address_of(Path(typed)) if not typed.startswith("./") else address_of(Path("here") / typed)
    assert found == meant


@pytest.mark.parametrize("kind", ["memory://photos", "file://{}/photos"])
def test_files_are_written_whole_listed_and_read(kind: str, tmp_path: Path) -> None:
    folder = kind.format(tmp_path)
    for name in ("b.jpg", "a.jpg"):
        write_address(joined(folder, name), name.encode())
    assert list_addresses(folder) == [joined(folder, "a.jpg"), joined(folder, "b.jpg")]
    assert exists_at(joined(folder, "a.jpg"))
    assert not exists_at(joined(folder, "c.jpg"))
    write_address(joined(folder, "a.jpg"), b"new")
    assert read_address(joined(folder, "a.jpg")) == b"new"
    with open_file(joined(folder, "b.jpg")) as file:
        file.seek(2)
        assert file.read() == b"jpg"


def test_what_fails_while_it_is_written_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    system = fsspec.filesystem("memory")
    monkeypatch.setattr(type(system.open("/half", "wb")), "commit", lambda _: 1 / 0)
    with pytest.raises(InputError, match=r"memory://whole/a\.jpg cannot be written"):
        write_address("memory://whole/a.jpg", b"1" * 1000)
    monkeypatch.undo()
    assert not exists_at("memory://whole/a.jpg")


def test_a_file_of_a_server(server: str, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"123")
    assert read_address(f"{server}/a.jpg") == b"123"
    with pytest.raises(InputError, match=rf"^There is no {server}/b\.jpg\.$"):
        read_address(f"{server}/b.jpg")


def test_what_cannot_be_reached_is_said_in_one_sentence() -> None:
    with pytest.raises(InputError, match=r"^http://127\.0\.0\.1:9/a\.jpg cannot be read: .*\.$"):
        read_address("http://127.0.0.1:9/a.jpg")
    with pytest.raises(InputError, match=r"nosuch"):
        read_address("nosuch://bucket/a.jpg")
    if not any(name in fsspec.registry for name in ("s3",)):
        with pytest.raises(InputError, match=r"^Nothing that reads s3:// is installed; run `pip install s3fs`\.$"):
            read_address("s3://bucket/a.jpg")
