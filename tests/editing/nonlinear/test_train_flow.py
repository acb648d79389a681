import torch

from stylegan_latents.editing.nonlinear.train_flow import train


def _planted(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Codes of which the first value follows the first attribute, and no other value knows one."""
    source = torch.Generator().manual_seed(1)
    attributes, codes = torch.randn(count, 2, generator=source), torch.randn(count, 6, generator=source)
    codes[:, 0] = 0.95 * attributes[:, 0] + 0.3 * codes[:, 0]
    return codes, attributes


def test_a_trained_flow_changes_what_an_attribute_changes_and_leaves_the_rest() -> None:
    codes, attributes = _planted(600)
    told: list[tuple[int, int]] = []
    trained = train(codes, attributes, hidden=(32,), epochs=16, progress=lambda *done: told.append(done))
    assert trained.loss < trained.loss_linear + 1e-6
    assert told[-1] == (16, 16)
    before, after = torch.tensor([[-1.0, 0.0]]).expand(50, -1), torch.tensor([[1.0, 0.0]]).expand(50, -1)
    points = codes[:50].clone()
    points[:, 0] = -0.95
    network = trained.network
    step = network(network(points, before)[0], after, reverse=True)[0] - points
    assert 1.2 < step[:, 0].mean() < 2.6
    assert step[:, 1:].abs().mean() < 0.25


def test_training_repeats_and_leaves_the_random_numbers_alone() -> None:
    codes, attributes = _planted(200)
    torch.manual_seed(5)
    wanted = torch.randn(1)
    torch.manual_seed(5)
    first = train(codes, attributes, hidden=(8,), epochs=2)
    assert torch.equal(torch.randn(1), wanted)
    second = train(codes, attributes, hidden=(8,), epochs=2)
    assert first.loss == second.loss
