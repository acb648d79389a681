"""What is masked out or finer than the target is not compared."""

import math

import pytest
import torch

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.search.loss import Comparison, area_resize, check_images, grid_error
from tests.invert.small_search import invert, own_images, small_search  # noqa: F401
from tests.odd_models import odd_generator, seeded, tiny_lpips

small = pytest.mark.usefixtures("small_search")


def _images(*shape: int) -> torch.Tensor:
    with seeded(sum(shape)):
        return torch.rand(shape) * 2 - 1


def _compare(images: torch.Tensor, mask: torch.Tensor | None = None, size: int = 64) -> Comparison:
    return Comparison(images, size, 2 * size, tiny_lpips(), pixel_weight=1.0, detail_weight=1.0, mask=mask)


def _with_centre(images: torch.Tensor, fine_size: int = 128, mask: torch.Tensor | None = None) -> Comparison:
    weights = {"pixel_weight": 0.0, "detail_weight": 0.0, "lpips_weight": 0.0, "centre_weight": 0.5}
    return Comparison(images, 64, fine_size, tiny_lpips(), **weights, mask=mask)


def test_the_loss_is_lpips_and_pixels_and_detail() -> None:
    target, drawn = _images(2, 3, 128, 128), _images(2, 3, 128, 128).flip(3)
    losses, shown = _compare(target)(drawn)
    small_drawn, small_target = area_resize(drawn, 64), area_resize(target, 64)
    perceptual = tiny_lpips()(small_drawn, small_target)
    torch.testing.assert_close(losses, perceptual + (drawn - target).square().mean(dim=(1, 2, 3)))
    torch.testing.assert_close(shown, small_drawn)


def test_the_centre_is_compared_at_twice_the_side() -> None:
    target, drawn = _images(2, 3, 256, 256), _images(2, 3, 256, 256).flip(3)
    losses, _ = _with_centre(target, 256)(drawn)
    ours, theirs = (area_resize(images, 128)[:, :, 32:96, 32:96] for images in (drawn, target))
    torch.testing.assert_close(losses, 0.5 * tiny_lpips()(ours, theirs))
    torch.testing.assert_close(_with_centre(target, 256)[1](drawn[1:])[0], losses[1:])
    mask = torch.ones(1, 1, 256, 256)
    mask[..., 64:192, 64:192] = 0
    assert float(_with_centre(target, 256, mask)(drawn)[0].max()) == 0


def test_the_grid_is_what_repeats_with_the_pixels() -> None:
    with seeded(1):
        cell = torch.randn(1, 1, 4, 4)
    grid = cell.repeat(2, 3, 32, 32) + torch.tensor([0.0, 5.0])[:, None, None, None]
    expected = (cell - cell.mean()).square().mean()
    torch.testing.assert_close(grid_error(grid), expected.expand(2))
    # A grid of any other period, and texture, average out.
    assert float(grid_error(torch.randn(1, 1, 5, 5).repeat(1, 3, 26, 26)[..., :128, :128]).max()) < 0.05
    assert float(grid_error(_images(1, 1, 128, 128)).max()) < 0.01
    # One whose sign changes from window to window is one all the same.
    signs = torch.ones(1, 1, 128, 128)
    signs[..., 64:] = -1
    torch.testing.assert_close(grid_error(grid[:1] * signs)[0], expected)


def test_the_grid_is_weighed_where_what_is_finer_is() -> None:
    target, drawn = _images(2, 3, 128, 128), _images(2, 3, 128, 128).flip(3)

    def losses(grid_weight: float, detail_weight: float = 1.0) -> torch.Tensor:
        weights = {"pixel_weight": 1.0, "detail_weight": detail_weight, "grid_weight": grid_weight}
        return Comparison(target, 64, 128, tiny_lpips(), **weights)(drawn)[0]

    torch.testing.assert_close(losses(3.0) - losses(0.0), 3 * grid_error(drawn - target))
    torch.testing.assert_close(losses(3.0, 0.0), losses(0.0, 0.0))


@pytest.mark.parametrize(("side", "fine_size"), [(100, 128), (128, 64), (48, 128)])
def test_there_is_no_centre_where_nothing_is_as_fine(side: int, fine_size: int) -> None:
    target = _images(1, 3, side, side)
    assert float(_with_centre(target, fine_size)(_images(1, 3, 128, 128))[0]) == 0


def test_a_masked_part_may_hold_anything() -> None:
    target, drawn = _images(1, 3, 128, 128), _images(1, 3, 128, 128).flip(3)
    mask = torch.ones(1, 1, 128, 128)
    mask[..., 32:96] = 0
    spoilt = target.clone()
    spoilt[..., 32:96] = 1
    (one, shown), (other, _) = _compare(target, mask)(drawn), _compare(spoilt, mask)(drawn)
    torch.testing.assert_close(one, other)
    torch.testing.assert_close(shown, area_resize(drawn, 64))
    free = drawn.clone().requires_grad_()
    _compare(target, mask)(free)[0].sum().backward()  # type: ignore[no-untyped-call]
    assert free.grad is not None
    assert free.grad[..., 32:96].abs().max() == 0
    assert free.grad[..., :32].abs().max() > 0


def test_one_of_several_is_compared_alone() -> None:
    target, drawn = _images(2, 3, 128, 128), _images(2, 3, 128, 128).flip(3)
    mask = (_images(2, 1, 128, 128) > -0.5).float()
    both, _ = _compare(target, mask)(drawn)
    for i in range(2):
        torch.testing.assert_close(_compare(target, mask)[i](drawn[i : i + 1])[0], both[i : i + 1])


@pytest.mark.parametrize("side", [16, 48, 100])
def test_a_small_target_is_compared_at_its_own_side(side: int) -> None:
    drawn = _images(1, 3, 128, 128)
    losses, shown = _compare(area_resize(drawn, side))(drawn)
    assert shown.shape[-1] == min(side, 64)
    assert float(losses) < 1e-5


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (torch.ones(1, 1, 64, 64), "needs the shape"),
        (torch.ones(3, 1, 128, 128), "needs the shape"),
        (torch.full((1, 1, 128, 128), 2.0), "from 0"),
        (torch.full((1, 1, 128, 128), math.nan), "from 0"),
        (torch.zeros(1, 1, 128, 128), "whole picture"),
    ],
)
def test_impossible_masks_are_refused(mask: torch.Tensor, words: str) -> None:
    with pytest.raises(InputError, match=words):
        _compare(_images(2, 3, 128, 128), mask)


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 1, 8, 8), (1, 3, 8, 9), (0, 3, 8, 8)])
def test_images_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="need the shape"):
        check_images(torch.zeros(shape))


@small
def test_a_search_fills_in_what_is_masked() -> None:
    G = odd_generator()
    images = own_images(G, 3)
    mask = torch.ones(1, 1, 64, 64)
    mask[..., :24] = 0
    spoilt = images.clone()
    spoilt[..., :24] = 1
    found, spoilt_found = invert(G, images, mask=mask), invert(G, spoilt, mask=mask)
    assert torch.equal(found.ws, spoilt_found.ws)
    assert not torch.equal(found.ws, invert(G, spoilt).ws)


@small
def test_a_search_sharpens_a_small_target() -> None:
    G = odd_generator()
    images = own_images(G, 3)
    target = area_resize(images, 20)
    losses: list[float] = []
    found = invert(G, target, steps=60, on_step=lambda progress: losses.append(progress.loss))
    assert min(losses) < 0.2 * losses[0]
    assert found.ws.shape == (1, G.num_ws, G.w_dim)
