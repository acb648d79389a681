"""A flow from codes to a normal distribution, given attributes: what StyleFlow edits with, without its cost.

Affine couplings (RealNVP: Dinh, Sohl-Dickstein and Bengio 2017) with the attributes as a further input; unlike
StyleFlow's continuous flow it needs no integration, and it inverts exactly.
"""

import torch
from torch import Tensor, nn

_BLOCKS = 8
_BATCH = 128
# Epochs without a better held-out loss after which training ends.
_PATIENCE = 7


class Flow(nn.Module):
    """A conditional flow of affine couplings from codes ``[N, width]`` to a normal distribution, and back.

    The conditional mean of a linear fit is taken off first, so that the couplings learn what is left.
    """

    def __init__(self, x: Tensor, condition: Tensor, hidden: int) -> None:
        super().__init__()
        width, told = x.shape[1], condition.shape[1]
        table = torch.cat([condition, torch.ones(len(x), 1)], dim=1)
        self.slope: Tensor = torch.linalg.lstsq(table, x).solution[:-1]
        self.deviation: Tensor = (x - condition @ self.slope).std(dim=0)
        self.orders = [torch.randperm(width) for _ in range(_BLOCKS)]
        self.first = width // 2
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Linear(self.first + told, hidden),
                nn.SiLU(),
                nn.Dropout(0.1),
                nn.Linear(hidden, hidden),
                nn.SiLU(),
                nn.Dropout(0.1),
                nn.Linear(hidden, 2 * (width - self.first)),
            )
            for _ in range(_BLOCKS)
        )
        # Untrained, the flow is its linear limit.
        for block in self.blocks:
            assert isinstance(block, nn.Sequential)
            for parameter in block[-1].parameters():
                nn.init.zeros_(parameter)

    def encode(self, x: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """``z [N, width]`` and the logarithm of the volume's change, ``[N]``."""
        x = (x - condition @ self.slope) / self.deviation
        volume = torch.zeros(len(x))
        for order, block in zip(self.orders, self.blocks, strict=True):
            left, right = x[:, order].tensor_split([self.first], dim=1)
            scale, shift = block(torch.cat([left, condition], dim=1)).chunk(2, dim=1)
            x = torch.cat([left, right * scale.tanh().exp() + shift], dim=1)
            volume = volume + scale.tanh().sum(dim=1)
        return x, volume

    def decode(self, z: Tensor, condition: Tensor) -> Tensor:
        """The inverse of ``encode``."""
        for order, block in zip(reversed(self.orders), reversed(self.blocks), strict=True):
            left, right = z.tensor_split([self.first], dim=1)
            scale, shift = block(torch.cat([left, condition], dim=1)).chunk(2, dim=1)
            z = torch.cat([left, (right - shift) / scale.tanh().exp()], dim=1)[:, order.argsort()]
        return z * self.deviation + condition @ self.slope

    def step(self, x: Tensor, condition: Tensor, column: int, amount: float) -> Tensor:
        """What x gains when one of its conditions is another by ``amount``, ``[N, width]``."""
        changed = condition.clone()
        changed[:, column] += amount
        with torch.no_grad():
            return self.decode(self.encode(x, condition)[0], changed) - x


def trained(x: Tensor, condition: Tensor, *, hidden: int, epochs: int, seed: int) -> Flow:
    """A flow as it was when it did best on every tenth code, which it is not shown."""
    torch.manual_seed(seed)
    test = torch.arange(len(x)) % 10 == 0
    rows = torch.nonzero(~test)[:, 0]
    batches = len(rows) // _BATCH
    flow = Flow(x[rows], condition[rows], hidden)
    optimizer = torch.optim.AdamW(flow.parameters(), weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-3, total_steps=epochs * batches)

    def loss(chosen: Tensor) -> Tensor:
        z, volume = flow.encode(x[chosen], condition[chosen])
        return (z.square().sum(dim=1) / 2 - volume).mean() / x.shape[1]

    def held_out() -> float:
        flow.eval()
        with torch.no_grad():
            return loss(torch.nonzero(test)[:, 0]).item()

    limit = best = held_out()
    kept = {name: value.clone() for name, value in flow.state_dict().items()}
    since = 0
    for _ in range(epochs):
        flow.train()
        for chosen in rows[torch.randperm(len(rows))][: batches * _BATCH].view(batches, _BATCH):
            optimizer.zero_grad()
            loss(chosen).backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(flow.parameters(), 1.0)
            optimizer.step()
            schedule.step()
        held, since = held_out(), since + 1
        if held < best:
            best, since = held, 0
            kept = {name: value.clone() for name, value in flow.state_dict().items()}
        if since == _PATIENCE:
            break
    print(f"flow over {x.shape[1]} dimensions: held-out loss {best:.4f}, {limit:.4f} for a linear one", flush=True)
    flow.load_state_dict(kept)
    return flow.eval()
