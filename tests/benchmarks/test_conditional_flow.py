import math

import pytest
import torch

from tests.benchmarks.conditional_flow import Flow, trained


def _planted(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Codes whose first value is a bent function of the one attribute; the others do not know it."""
    torch.manual_seed(3)
    attribute = torch.randn(count, 1)
    x = torch.randn(count, 6)
    x[:, :1] = attribute.abs() + 0.1 * x[:, :1]
    return x, attribute


def test_decoding_undoes_encoding() -> None:
    x, attribute = _planted(64)
    flow = Flow(x, attribute, 16).eval()
    for parameter in flow.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    z, _ = flow.encode(x, attribute)
    assert not torch.allclose(z, x, atol=0.1)
    assert torch.allclose(flow.decode(z, attribute), x, atol=1e-4)


def test_the_volume_is_that_of_the_jacobian() -> None:
    x, attribute = _planted(8)
    flow = Flow(x, attribute, 16).eval()
    for parameter in flow.parameters():
        torch.nn.init.normal_(parameter, std=0.2)

    def encoded(point: torch.Tensor) -> torch.Tensor:
        return flow.encode(point[None], attribute[:1])[0][0]

    jacobian = torch.autograd.functional.jacobian(encoded, x[0])  # type: ignore[no-untyped-call]
    # The fixed division by the codes' deviations is left out of it.
    volume = torch.linalg.det(jacobian).abs().log() + flow.deviation.log().sum()
    assert math.isclose(volume.item(), flow.encode(x[:1], attribute[:1])[1].item(), abs_tol=1e-3)


@pytest.mark.slow
def test_a_trained_flow_follows_a_bent_relation_and_leaves_the_rest() -> None:
    x, attribute = _planted(4000)
    flow = trained(x, attribute, hidden=32, epochs=12, seed=0)
    right, left = torch.full((50, 1), 1.0), torch.full((50, 1), -1.0)
    points = x[:50].clone()
    points[:, 0] = 1.0
    up, down = flow.step(points, right, 0, 0.5), flow.step(points, left, 0, 0.5)
    assert 0.2 < up[:, 0].median() < 0.8
    assert -0.8 < down[:, 0].median() < -0.2
    assert up[:, 1:].abs().mean() < 0.15
