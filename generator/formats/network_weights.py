"""One network of a file: its tensors by full names, the attributes of its modules, and which tensors were read."""

import math
import re
from collections.abc import Mapping
from typing import Any, Self, cast

from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.safe_pickle.inert_torch import InertObject, StoredTensor, fits
from stylegan_latents.generator.reading.budget import Budget

_MAX_MODULES = 10_000


class NetworkWeights:
    """The tensors and attributes of a network, by their modules' full names.

    Args:
        network: a module, or a state dict, which has no attributes.
        budget: of the file: many tensors can be the same bytes of it.
        mean: the mean w that the file has beside the network.

    Raises:
        InputError: the network has modules within modules without end.
    """

    def __init__(
        self, network: InertObject | Mapping[Any, Any], budget: Budget, mean: StoredTensor | None = None
    ) -> None:
        self._budget = budget
        self.class_name = network.class_name if isinstance(network, InertObject) else ""
        self.tensors: dict[str, StoredTensor] = {}
        self.mean = mean
        self._attributes: dict[str, Mapping[str, Any]] = {}
        self._read: set[str] = set()
        if isinstance(network, InertObject):
            self._visit(network, "")
        else:
            self.tensors = {k: v for k, v in network.items() if isinstance(k, str) and isinstance(v, StoredTensor)}

    def _visit(self, module: InertObject, prefix: str) -> None:
        # A file can make modules contain themselves, or share them so that the count explodes.
        if len(self._attributes) > _MAX_MODULES or prefix.count(".") > 32:
            raise InputError("it has modules within modules without end, as no honest file has")
        self._budget.charge(64)
        self._attributes[prefix] = module.state
        for kind in ("_parameters", "_buffers"):
            for name, tensor in self._entries(module, kind).items():
                if isinstance(tensor, StoredTensor):
                    self.tensors[f"{prefix}{str(name)[:100]}"] = tensor
        for name, child in self._entries(module, "_modules").items():
            if isinstance(child, InertObject):
                self._visit(child, f"{prefix}{str(name)[:100]}.")

    @staticmethod
    def _entries(module: InertObject, kind: str) -> Mapping[Any, Any]:
        entries = module.state.get(kind)
        return entries if isinstance(entries, dict) else {}

    def part(self, prefix: str) -> Self:
        """The network within, all of whose names begin with ``prefix``, by the rest of its names."""
        if not prefix:
            return self
        inner = type(self)({}, self._budget, self.mean)
        for ours, theirs in ((inner.tensors, self.tensors), (inner._attributes, self._attributes)):
            cast(dict[str, Any], ours).update(
                (name.removeprefix(prefix), value) for name, value in theirs.items() if name.startswith(prefix)
            )
        return inner

    @property
    def is_state_dict(self) -> bool:
        """Whether only tensors are known, and no module's attributes."""
        return not self._attributes

    def attribute(self, module: str, name: str, default: object) -> object:
        return self._attributes.get(f"{module}." if module else "", {}).get(name, default)

    def number(self, module: str, name: str, default: float) -> float:
        value = self.attribute(module, name, default)
        try:
            number = float(cast(Any, value))
        except (TypeError, ValueError, OverflowError) as error:
            raise InputError(f"its {module}.{name} is no number") from error
        if not math.isfinite(number):
            raise InputError(f"its {module}.{name} is no number")
        return number

    def whole(self, module: str, name: str, default: int) -> int:
        number = self.number(module, name, default)
        if not number.is_integer() or not 0 < number < 1 << 20:
            raise InputError(f"its {module}.{name} is no size")
        return int(number)

    def check_sizes(self, module: str, **sizes: int) -> None:
        """Refuse a network whose module declares other sizes than its tensors have.

        Raises:
            InputError: one differs.
        """
        for name, size in sizes.items():
            declared = self.attribute(module, name, size)
            if isinstance(declared, int) and declared != size:
                raise InputError(f"its {module or 'network'} declares {name} {declared}, its tensors make {size}")

    def has(self, name: str) -> bool:
        return name in self.tensors

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor, which the network must have."""
        if name not in self.tensors:
            raise InputError(f"its generator lacks '{name}'")
        return self.tensors[name].shape

    def tensor(self, name: str, *shape: int) -> Tensor:
        """A tensor of the file, which must have the shape (0: any length)."""
        given = self.shape(name)
        if not fits(given, shape):
            raise InputError(f"its '{name}' has the shape {given}, which does not fit")
        stored = self.tensors[name]
        self._budget.charge(stored.size)
        self._read.add(name)
        return stored.read()

    def check_all_read(self, unused: str = r"$^") -> None:
        """Refuse a network with a tensor that was not read, as its pictures would be made without it.

        Args:
            unused: a regular expression for the names of tensors that do not matter.

        Raises:
            InputError: there is one; it is named.
        """
        for name in self.tensors:
            if name not in self._read and not re.fullmatch(unused, name):
                raise InputError(f"it has the tensor '{name[:80]}', which no network that is read here has")
