import dataclasses
from pathlib import Path

import pytest
import torch

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.loading import load
from stylegan_latents.generator.styles.style import (
    SUFFIX,
    Style,
    StyleOptions,
    find_style,
    names_a_style,
    read_style,
    shipped_styles,
)
from stylegan_latents.generator.styles.weights import low_rank
from tests.small_models import small_generator


def small_style(G: Generator, name: str = "plain") -> Style:
    """A style of random weights."""
    random = torch.Generator().manual_seed(1)
    full = {
        key: 0.1 * torch.randn(one.shape, generator=random)
        for key, one in G.named_parameters()
        if key.startswith("synthesis.") and ".style." not in key and "noise" not in key
    }
    (parts,) = low_rank(full, [2])
    return Style(name, G.name, G.fingerprint, G.resolution, parts, {"licence": "Apache-2.0"})


def test_strength_0_is_the_model_to_the_last_bit_and_more_strength_goes_further() -> None:
    G = small_generator()
    style, ws = small_style(G), G.sample([3])
    plain = G.synthesize(ws)
    assert torch.equal(style.apply(G, 0).synthesize(ws), plain)
    half, whole = ((style.apply(G, strength).synthesize(ws) - plain).abs().mean() for strength in (0.5, 1.0))
    assert 0 < half < whole
    assert torch.equal(G.synthesize(ws), plain)


def test_a_styled_model_takes_the_codes_of_its_model() -> None:
    G = small_generator()
    styled = small_style(G).apply(G)
    assert (styled.name, styled.fingerprint, styled.latent_space) == (G.name, G.fingerprint, G.latent_space)
    assert torch.equal(styled.sample([1]), G.sample([1]))


def test_a_style_is_read_as_it_was_written(tmp_path: Path) -> None:
    G = small_generator()
    style, file = small_style(G), tmp_path / f"plain{SUFFIX}"
    style.save(file)
    again = find_style(file)
    assert (again.name, again.model, again.provenance) == (style.name, style.model, style.provenance)
    ws = G.sample([2])
    assert torch.equal(again.apply(G).synthesize(ws), style.apply(G).synthesize(ws))
    with pytest.raises(InputError, match="exists already"):
        style.save(file)
    with pytest.raises(InputError, match="ends with"):
        style.save(tmp_path / "plain.pt")


def test_a_style_of_another_model_is_refused() -> None:
    style = small_style(small_generator())
    with pytest.raises(InputError, match="'plain' belongs to the model 'small'"):
        style.apply(small_generator(seed=1, name="other"))


@pytest.mark.parametrize("strength", [-0.1, 5.0, float("nan")])
def test_a_strength_out_of_range_is_refused(strength: float) -> None:
    G = small_generator()
    with pytest.raises(InputError, match="strength is from 0"):
        small_style(G).apply(G, strength)


def test_files_that_are_no_styles_are_refused_in_a_sentence(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    G, file = small_generator(), tmp_path / f"bad{SUFFIX}"
    style = small_style(G)
    file.write_bytes(b"no safetensors")
    with pytest.raises(InputError, match="no style's file, or a damaged one"):
        read_style(file)
    save_file({"a": torch.zeros(2)}, file)
    with pytest.raises(InputError, match="holds no style"):
        read_style(file)
    for change in ({"synthesis.nothing": torch.zeros(2)}, {"synthesis.input.bias": torch.zeros(3)}):
        with pytest.raises(InputError, match="is damaged"):
            dataclasses.replace(style, parts=change).apply(G)
    dataclasses.replace(style, parts={"synthesis.input.bias": torch.full((8,), float("nan"))}).save(
        file, overwrite=True
    )
    with pytest.raises(InputError, match="is damaged"):
        read_style(file)


def test_an_unknown_name_is_answered_with_near_and_known_ones() -> None:
    with pytest.raises(InputError, match="did you mean pencil"):
        find_style("pensil")
    assert set(shipped_styles()) == {"pencil", "oil", "cartoon"}
    assert names_a_style("Oil")
    assert not names_a_style("painting.jpg")


@pytest.mark.parametrize("name", ["pencil", "oil", "cartoon"])
def test_the_shipped_styles_are_small_and_say_where_they_come_from(name: str) -> None:
    style = find_style(name)
    assert (style.name, style.model, style.resolution) == (name, "ffhq", 1024)
    assert {"pictures", "source", "licence", "settings"} <= set(style.provenance)
    assert shipped_styles()[name].stat().st_size < 1.3e6


@pytest.mark.slow
def test_the_shipped_styles_are_of_the_default_model() -> None:
    G = load("ffhq")
    for name in shipped_styles():
        assert G.fingerprint == find_style(name).fingerprint


def test_the_options_name_files_and_are_checked() -> None:
    assert StyleOptions().find_style() is None
    assert StyleOptions(style="/a/b/mine.style.safetensors", style_strength=0.6).style_label() == ["mine0.6"]
    with pytest.raises(InputError, match="--style-strength is of a --style"):
        StyleOptions(style_strength=0.5).find_style()
