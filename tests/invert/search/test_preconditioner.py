"""Preconditioned steps: directions that change the picture, and Adam along them."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.statistics import WStatistics
from stylegan_latents.invert.search.preconditioner import PreconditionedAdam, Preconditioner, row_resolutions
from tests.generator.test_features import MODELS
from tests.odd_models import odd_generator

ROWS, WIDTH = 3, 8


def _bowl(seed: int = 0) -> Tensor:
    """``[ROWS, WIDTH, WIDTH]``: quadratic losses: curvature falls a thousandfold, along directions off the axes."""
    random = torch.Generator().manual_seed(seed)
    turned = torch.linalg.qr(torch.randn(ROWS, WIDTH, WIDTH, generator=random)).Q
    return turned @ torch.diag_embed(torch.logspace(0, -3, WIDTH).expand(ROWS, -1)) @ turned.mT


def _of_bowl(bowl: Tensor, k: int) -> Preconditioner:
    errors = torch.randn(2000, ROWS, WIDTH, generator=torch.Generator().manual_seed(1))
    gradients = torch.einsum("rij,nrj->nri", bowl, errors)
    return Preconditioner.of_gradients(gradients, errors, torch.tensor([4, 8, 16]), k)


def _descend(bowl: Tensor, preconditioner: Preconditioner, start: Tensor, steps: int = 40) -> Tensor:
    """The losses of N starts after so many steps."""
    codes = start.clone().requires_grad_()
    adam = PreconditionedAdam(codes, preconditioner, lr=0.2, betas=(0.8, 0.9))
    for step in range(steps):
        adam.param_groups[0]["lr"] = 0.2 * (1 - step / steps)
        adam.zero_grad()
        torch.einsum("nri,rij,nrj->", codes, bowl, codes).backward()
        adam.step()
    return torch.einsum("nri,rij,nrj->n", codes, bowl, codes).detach()


def _axes(rows: int = ROWS, width: int = WIDTH) -> Preconditioner:
    even = torch.ones(rows, 1)
    return Preconditioner(torch.zeros(rows, width, 0), even, even, torch.full((rows,), 4))


@pytest.mark.parametrize("k", [4, 8])
def test_along_its_directions_a_loss_falls_further_than_along_the_axes(k: int) -> None:
    bowl = _bowl()
    start = torch.randn(6, ROWS, WIDTH, generator=torch.Generator().manual_seed(2))
    plain, ours = _descend(bowl, _axes(), start), _descend(bowl, _of_bowl(bowl, k), start)
    assert (ours < 0.5 * plain).all()


def test_images_have_steps_of_their_own() -> None:
    bowl = _bowl()
    start = torch.randn(3, ROWS, WIDTH, generator=torch.Generator().manual_seed(2))
    start[1] *= 1000
    found = _of_bowl(bowl, 4)
    together = _descend(bowl, found, start)
    alone = torch.cat([_descend(bowl, found, one) for one in start.split(1)])
    torch.testing.assert_close(together, alone, rtol=1e-3, atol=1e-6)


def test_rows_without_a_gradient_stay() -> None:
    codes = torch.randn(2, ROWS, WIDTH, requires_grad=True)
    before = codes.detach().clone()
    adam = PreconditionedAdam(codes, _of_bowl(_bowl(), 4), lr=0.2, betas=(0.8, 0.9))
    for _ in range(3):
        adam.zero_grad()
        codes[:, 1].square().sum().backward()
        adam.step()
    assert torch.equal(codes[:, 0], before[:, 0])
    assert not torch.allclose(codes[:, 1], before[:, 1])


def test_its_directions_are_where_gradients_are() -> None:
    bowl = _bowl()
    found = _of_bowl(bowl, 4)
    assert torch.allclose(found.basis.mT @ found.basis, torch.eye(4).expand(ROWS, 4, 4), atol=1e-5)
    along = (found.basis * (bowl @ found.basis)).sum(dim=1)
    assert (along[:, 0] > 0.98).all()
    assert (found.variances.diff(dim=1) < 0).all()


def test_a_file_holds_for_another_estimate_of_w(tmp_path: Path) -> None:
    """Whose eigenvectors may point the other way: in W the directions are the same."""
    G = odd_generator(latent_space="here")
    statistics, other = (WStatistics.of(G, seed=seed) for seed in (0, 1))
    flipped = WStatistics(other.mean, -other.axes, other.deviations)
    made = Preconditioner.of_weights(G, statistics)
    made.save(tmp_path / "here.safetensors", statistics, "here")
    for read_for in (statistics, flipped):
        read = Preconditioner.load(tmp_path / "here.safetensors", read_for)
        ours, theirs = made.basis[:, :, 0] @ statistics.axes.T, read.basis[:, :, 0] @ read_for.axes.T
        assert (torch.nn.functional.cosine_similarity(ours, theirs, dim=1).abs() > 0.99).all()
        torch.testing.assert_close(read.variances, made.variances)
    (tmp_path / "no.safetensors").write_bytes(b"no")
    with pytest.raises(InputError):
        Preconditioner.load(tmp_path / "no.safetensors", statistics)


@pytest.mark.parametrize("name", MODELS)
def test_every_network_has_one_by_its_weights(name: str) -> None:
    G: Generator = MODELS[name][0]()
    found = Preconditioner.of(G, WStatistics.of(G))
    assert found.basis.shape == (G.num_ws, G.w_dim, G.w_dim)
    for tensor in (found.basis, found.variances, found.reach):
        assert torch.isfinite(tensor).all()
    in_w = found.in_w()
    assert in_w.basis.shape == (1, G.w_dim, G.w_dim)
    assert torch.isfinite(in_w.variances).all()


def test_another_network_of_the_same_w_takes_rows_of_its_resolutions() -> None:
    found = _of_bowl(_bowl(), 4)
    other = found.for_rows(torch.tensor([4, 4, 8, 8, 16, 32]))
    for row, same in enumerate((0, 0, 1, 1, 2, 2)):
        assert torch.equal(other.basis[row], found.basis[same])
    assert found.for_rows(found.resolutions) is found


def test_a_row_has_the_resolution_of_its_coarsest_layer() -> None:
    G = odd_generator()
    resolutions = row_resolutions(G)
    assert resolutions.tolist() == sorted(resolutions.tolist())
    assert len(resolutions) == G.num_ws
