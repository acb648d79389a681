from dataclasses import replace

import pytest
import torch

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.checkpoint import text_encoder_of
from stylegan_latents.generator.networks.text_encoder import TextEncoder
from tests.generator.networks.stylegan_t_files import expected, stylegan_t_pickle


def _encoder() -> TextEncoder:
    config, tensors = text_encoder_of(stylegan_t_pickle("texts"))
    encoder = TextEncoder(config)
    encoder.load_state_dict(tensors)
    return encoder.eval()


def test_parity_with_open_clip() -> None:
    wanted = expected("texts")
    with torch.no_grad():
        codes = _encoder()(wanted["tokens"].long())
    torch.testing.assert_close(codes, wanted["codes_of_tokens"], rtol=1e-4, atol=1e-6)


def test_what_follows_the_end_of_a_text_does_not_count() -> None:
    encoder, tokens = _encoder(), expected("texts")["tokens"].long()
    changed = tokens.clone()
    changed[0, 10:] = 3  # its end is at 9
    with torch.no_grad():
        torch.testing.assert_close(encoder(changed)[0], encoder(tokens)[0])


def test_an_empty_text_is_refused() -> None:
    with pytest.raises(InputError, match="text is empty"):
        _encoder().encode(["a dog", " "])


def test_a_file_without_an_encoder_is_named() -> None:
    with pytest.raises(InputError, match="no text encoder"):
        text_encoder_of(stylegan_t_pickle("unconditional"))


@pytest.mark.parametrize(
    "change", [{"heads": 5}, {"depth": 0}, {"depth": 99}, {"vocabulary": 0}, {"width": 1 << 30}]
)
def test_impossible_sizes_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="text encoder"):
        replace(_encoder().config, **change)
