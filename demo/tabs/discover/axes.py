"""The axes of a model by finders that number them from the strongest."""

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from stylegan_latents.editing.directions.direction import Direction
from stylegan_latents.editing.discovery.by_name import FINDERS
from stylegan_latents.generator.cli.progress import Progress
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from stylegan_latents.generator.generator import Generator


def methods() -> list[tuple[str, str]]:
    """Title and name of the finders that give axes."""
    return [(entry.title, name) for name, entry in FINDERS.items() if entry.axes]


class Axes:
    """Axes of a generator.

    Args:
        G: in float32.
        options: of the finders, instead of their defaults.
    """

    def __init__(self, G: "Generator", **options: object) -> None:
        self.G = G
        self._options = options

    def find(
        self, method: str, layers: str, first: int, count: int, progress: Progress | None = None
    ) -> "list[Direction]":
        """Axes in the finder's order, bound to the generator.

        Args:
            method: the finder.
            layers: that they move, and that SeFa factorises, such as ``coarse`` or ``0-3,7``.
            first: index of the first axis.
            count: how many; fewer at the end.
            progress: called with the work done and in all.

        Raises:
            InputError: there is no such method, axis or layer.
        """
        names = [name for _, name in methods()]
        if method not in names:
            raise InputError(f"There is no method '{method}' here; take {' or '.join(names)}.")
        if not 0 <= first < self.G.w_dim or count < 1:
            raise InputError(f"This model's axes have the numbers 0 to {self.G.w_dim - 1}; there is no {first}.")
        upto = min(first + count, self.G.w_dim)
        kind = FINDERS[method].options
        taken = {one.name for one in fields(kind)}
        given: dict[str, Any] = {"count": upto, "layers": layers, **self._options}
        options = kind(**{name: value for name, value in given.items() if name in taken})
        found = options.plan(lambda _: lambda _done, _all: None).make(self.G).find(upto, progress)[first:]
        return [one for one in found if isinstance(one, Direction)]
