import pytest
import torch
from scipy.optimize import minimize

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.search.span import Span


def anchors(count: int, rows: int = 2, width: int = 6) -> torch.Tensor:
    return torch.randn(count, rows, width, generator=torch.Generator().manual_seed(count))


def test_coordinates_add_up_to_one_and_keep_within_the_bound() -> None:
    span = Span(anchors(5), dilation=3)
    assert span.least == pytest.approx(-0.4)
    found = span.coordinates(torch.randn(4, 2, 5) * 30)
    torch.testing.assert_close(found.sum(dim=-1), torch.ones(4, 2))
    assert float(found.min()) >= span.least - 1e-6
    torch.testing.assert_close(span.codes(span.coordinates(torch.zeros(1, 1, 5)))[0], span.anchors.mean(dim=0))


def test_a_hundred_anchors_have_the_bound_of_the_paper() -> None:
    assert Span(anchors(100)).least == pytest.approx(-0.02)


def test_codes_of_the_span_are_their_own_nearest() -> None:
    span = Span(anchors(4), dilation=2)
    ws = span.codes(span.coordinates(torch.randn(3, 2, 4)))
    torch.testing.assert_close(span.project(ws), ws, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(span.project(span.anchors), span.anchors, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("count", [2, 3, 9])
def test_the_nearest_code_is_what_a_general_solver_finds(count: int) -> None:
    span = Span(anchors(count, rows=1), dilation=1.5)
    wanted = 2 * torch.randn(1, 1, 6, generator=torch.Generator().manual_seed(7))
    kept, target = span.anchors[:, 0].double().numpy(), wanted[0, 0].double().numpy()
    solved = minimize(
        lambda a: ((a @ kept - target) ** 2).sum(),
        [1 / count] * count,
        bounds=[(span.least, None)] * count,
        constraints={"type": "eq", "fun": lambda a: a.sum() - 1},
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 500},
    )
    found = span.project(wanted)
    assert float((found - wanted).square().sum()) == pytest.approx(solved.fun, rel=1e-3)


def test_too_few_anchors_and_a_shrinking_dilation_are_refused() -> None:
    with pytest.raises(InputError, match="at least 2 anchors"):
        Span(anchors(1))
    with pytest.raises(InputError, match="1 or above"):
        Span(anchors(3), dilation=0.5)
