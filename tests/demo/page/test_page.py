"""Errors become a sentence, and tell nothing of the server."""

import gradio as gr
import pytest

from stylegan_latents.demo.page.page import answering
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.generator.errors import InputError


def test_what_is_wrong_is_told_without_the_servers_folders(visit: Visit) -> None:
    @answering
    def handler(visit: Visit) -> None:
        path = visit.files.new_path("me", ".png")
        raise InputError(f"{path} is not a picture; take another.")

    with pytest.raises(gr.Error) as told:
        handler(visit)
    assert told.value.message == "me.png is not a picture; take another."


def test_a_fault_is_logged_and_tells_no_detail(visit: Visit, caplog: pytest.LogCaptureFixture) -> None:
    @answering
    def handler(_visit: Visit) -> None:
        raise RuntimeError("secret detail")

    with pytest.raises(gr.Error) as told:
        handler(visit)
    assert "secret" not in str(told.value.message)
    assert "secret detail" in caplog.text


def test_generators_are_answered_for_as_well(visit: Visit) -> None:
    @answering
    def handler(_visit: Visit):
        yield 1
        raise InputError("Too much.")

    answers = handler(visit)
    assert next(answers) == 1
    with pytest.raises(gr.Error, match="Too much"):
        next(answers)


def test_an_ended_visit_says_so(visit: Visit) -> None:
    visit.close()
    with pytest.raises(gr.Error) as told:
        answering(lambda _visit: 1)(visit)
    assert "reload the page" in told.value.message
    with pytest.raises(gr.Error):
        answering(lambda _visit: 1)(None)
