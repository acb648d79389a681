import pytest
import torch

from stylegan_latents.editing.discovery.scorers.colour import ColourScorer


def _picture(red: float, green: float, blue: float) -> torch.Tensor:
    return (2 * torch.tensor([red, green, blue]) - 1)[None, :, None, None].expand(1, 3, 8, 8)


def test_each_colour_is_seen() -> None:
    grey, red, yellow = (ColourScorer().score(_picture(*one))[0] for one in ((0.6, 0.6, 0.6), (1, 0, 0), (1, 1, 0)))
    assert grey == pytest.approx([0.6, 0, 0, 0, 0], abs=0.01)
    assert red == pytest.approx([0.299, 0, 0.3 * 1.25**0.5, 1, 0.5], abs=0.01)
    assert yellow == pytest.approx([0.886, 0, 0.3, 0, 1], abs=0.01)


def test_contrast_is_of_lightness() -> None:
    half = torch.cat([_picture(0, 0, 0)[..., :4], _picture(1, 1, 1)[..., :4]], dim=3)
    assert ColourScorer().score(half)[0] == pytest.approx([0.5, 0.5, 0, 0, 0], abs=0.01)


def test_every_picture_is_scored_on_its_own() -> None:
    pictures = torch.cat([_picture(1, 0, 0), _picture(0, 1, 0)])
    both = ColourScorer().score(pictures)
    assert both.shape == (2, 5)
    assert (both[1] == ColourScorer().score(pictures[1:])[0]).all()
