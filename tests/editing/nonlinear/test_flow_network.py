"""The flow's network computes what StyleFlow's code computes, in both directions."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from stylegan_latents.editing.nonlinear.flow_files import load_flow
from stylegan_latents.editing.nonlinear.flow_network import FlowNetwork

FOLDER = Path(__file__).parents[2] / "data" / "styleflow"
EXPECTED = load_file(FOLDER / "flow.expected.safetensors")
NETWORK = load_flow(FOLDER / "flow.pt").network


def _rows(name: str) -> torch.Tensor:
    """Codes ``[N, rows, width]`` as points, or attributes repeated for each row."""
    value = EXPECTED[name]
    return value.flatten(0, 1) if value.ndim == 3 else value.repeat_interleave(EXPECTED["ws"].shape[1], dim=0)


def test_encoding_is_that_of_the_official_code() -> None:
    normal, _ = NETWORK(_rows("ws"), _rows("attributes"))
    assert torch.allclose(normal, _rows("normal"), atol=1e-4, rtol=0)
    assert not torch.allclose(normal, _rows("ws"), atol=0.1)


def test_decoding_with_other_attributes_is_that_of_the_official_code() -> None:
    ws, _ = NETWORK(_rows("normal"), _rows("changed"), reverse=True)
    assert torch.allclose(ws, _rows("changed_ws"), atol=1e-4, rtol=0)


def test_decoding_undoes_encoding() -> None:
    normal, _ = NETWORK(_rows("ws"), _rows("attributes"))
    assert torch.allclose(NETWORK(normal, _rows("attributes"), reverse=True)[0], _rows("ws"), atol=1e-5)


@pytest.mark.parametrize("reverse", [False, True])
def test_the_volume_is_that_of_the_jacobian(reverse: bool) -> None:
    x, attributes = _rows("ws")[:1], _rows("attributes")[:1]

    def mapped(point: torch.Tensor) -> torch.Tensor:
        return NETWORK(point[None], attributes, reverse=reverse)[0][0]

    jacobian = torch.autograd.functional.jacobian(mapped, x[0])  # type: ignore[no-untyped-call]
    noise = torch.randint(2, (6000, x.shape[1]), generator=torch.Generator().manual_seed(0)).float() * 2 - 1
    points = x.expand(len(noise), -1), attributes.expand(len(noise), -1)
    estimates = NETWORK(*points, reverse=reverse, noise=noise, steps=8)[1]
    assert estimates.mean().item() == pytest.approx(torch.linalg.slogdet(jacobian)[1].item(), abs=0.1)


def test_a_network_has_the_sizes_that_it_is_made_with() -> None:
    network = FlowNetwork(5, 2, (7, 6), blocks=3)
    x, _ = network(torch.randn(4, 5), torch.randn(4, 2), steps=2)
    assert x.shape == (4, 5)
    assert (len(network.velocities), len(network.normalisations)) == (3, 4)
