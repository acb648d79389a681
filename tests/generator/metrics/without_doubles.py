"""A tensor that, as one on MPS, has no doubles."""

from typing import Any

import torch


class WithoutDoubles(torch.Tensor):
    """Refuses to become float64 before it is on the CPU."""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.Tensor.cpu:
            return args[0].as_subclass(torch.Tensor)
        made = super().__torch_function__(func, types, args, kwargs)
        if isinstance(made, torch.Tensor) and made.dtype == torch.float64:
            raise TypeError("MPS has no float64")
        return made
