"""What tuning and noise optimisation begin with: any inverter."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from torch import Tensor

from invert.comparison import Resemblance
from invert.inversion import Inversion

if TYPE_CHECKING:
    from invert.optimize import Progress


class Pivot(Protocol):
    """What finds the codes that are kept: any inverter."""

    steps: int

    def invert(
        self,
        images: Tensor,
        *,
        on_step: "Callable[[Progress], None] | None" = None,
        keep_partial: bool = False,
        mask: Tensor | None = None,
        resemblance: Resemblance | None = None,
    ) -> Inversion: ...
