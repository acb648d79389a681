import torch
from torch import nn

from stylegan_latents.editing.drag.mask_loss import MaskLoss
from stylegan_latents.generator.features import FeatureMap

FOLLOWED = FeatureMap(8, 8, nn.Identity())


def left_half() -> torch.Tensor:
    mask = torch.zeros(16, 16)
    mask[:, :8] = 1
    return mask


def test_only_changes_outside_of_the_mask_count() -> None:
    first = torch.zeros(1, 3, 8, 8)
    loss = MaskLoss(FOLLOWED, first, left_half(), 10.0)
    inside, outside = first.clone(), first.clone()
    inside[..., :3] = 1
    outside[..., 5:] = 1
    assert float(loss.change(inside)) == 0
    assert float(loss.change(outside)) > 0.3


def test_however_large_its_weight_the_loss_stays_weaker_than_the_pull() -> None:
    first = torch.zeros(1, 3, 8, 8)
    moves = torch.ones(2, requires_grad=True)
    pulls = {}
    for weight in (0.0, 1e6):
        features = first + moves[1]
        gradient = MaskLoss(FOLLOWED, first, left_half(), weight).gradient(moves[0] * 2, features, moves, 0)
        pulls[weight] = gradient.detach()
    assert torch.allclose(pulls[0.0], torch.tensor([2.0, 0.0]))
    assert torch.allclose(pulls[1e6], torch.tensor([2.0, 1.4]))
