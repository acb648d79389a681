"""What tuning and noise optimisation begin with: any inverter."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.search.loss import Resemblance
from torch import Tensor

if TYPE_CHECKING:
    from stylegan_latents.invert.inverters.optimize import Progress


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
