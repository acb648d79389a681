"""The axes that GANSpace and SeFa find in a model: facts of the model, found once for all visitors."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from stylegan_latents.editing.directions.direction import Direction
    from stylegan_latents.editing.discovery.finders.ganspace import PrincipalAxes
    from stylegan_latents.generator.generator import Generator

Method = Literal["ganspace", "sefa"]
METHODS: tuple[Method, ...] = ("ganspace", "sefa")

Progress = Callable[[int, int], None]


class Axes:
    """Axes of a generator.

    Args:
        G: in float32.
        samples: of W for GANSpace; ``edit discover`` takes as many.
    """

    def __init__(self, G: "Generator", samples: int = 200_000) -> None:
        self.G = G
        self._samples = samples
        self._principal: PrincipalAxes | None = None

    def find(
        self, method: Method, layers: str, first: int, count: int, progress: Progress | None = None
    ) -> "list[Direction]":
        """Some axes, in the order that the finder gives them, bound to the generator.

        Args:
            method: the finder.
            layers: what they move, and what SeFa factorises, as a person types them.
            first: index of the first axis.
            count: how many; fewer at the end.
            progress: called with the number of samples done and in all, where there is something to sample.

        Raises:
            InputError: there is no such method, axis or layer.
        """
        if method not in METHODS:
            raise InputError(f"There is no method '{method}' here; take {' or '.join(METHODS)}.")
        if not 0 <= first < self.G.w_dim or count < 1:
            raise InputError(f"This model's axes have the numbers 0 to {self.G.w_dim - 1}; there is no {first}.")
        upto = min(first + count, self.G.w_dim)
        if method == "sefa":
            from stylegan_latents.editing.discovery.finders.sefa import SeFa

            return SeFa(self.G, layers).find(upto)[first:]
        from stylegan_latents.editing.discovery.finders.ganspace import GANSpace

        finder = GANSpace(self.G, layers, samples=self._samples)
        if self._principal is None:
            self._principal = finder.axes(progress)
        return finder.directions(self._principal, upto)[first:]
