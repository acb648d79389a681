"""Networks in the pickles of NVIDIA's TensorFlow repositories: ``dnnlib.tflib.network.Network``.

Such a network is pickled as its variables, its settings, its sub-networks and the source text of the function that
builds it, which NVIDIA's loader executes. Here the text is never looked at.
"""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard, cast

import numpy as np
import torch
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.safe_pickle.inert_torch import InertObject, fits
from stylegan_latents.generator.reading.budget import Budget

_MAX_VARIABLES = 10_000
_MAX_DEPTH = 4


def networks_in(contents: object) -> list[InertObject]:
    """The networks of what a pickle holds, in order: one, or a tuple, list or dict of them."""
    if isinstance(contents, dict):
        contents = list(contents.values())
    values = list(contents) if isinstance(contents, tuple | list) else [contents]
    return [value for value in values if _is_network(value)]


def _is_network(value: object) -> TypeGuard[InertObject]:
    return isinstance(value, InertObject) and value.class_name == "Network" and "_modules" not in value.state


class Variables:
    """The variables and settings of a network and its sub-networks, by names such as ``synthesis/4x4/Conv/bias``.

    Args:
        network: of the file.
        budget: of the file: many variables can be the same bytes of it.

    Attributes:
        builder: the name of the function that builds the network.

    Raises:
        InputError: the network's state is not what NVIDIA's code writes.
    """

    def __init__(self, network: InertObject, budget: Budget) -> None:
        self._budget = budget
        name = network.state.get("build_func_name")
        self.builder = name if isinstance(name, str) else ""
        self._arrays: dict[str, object] = {}
        self._read: set[str] = set()
        self._settings: dict[str, Mapping[Any, Any]] = {}
        self._visit(network, "", _MAX_DEPTH)

    def _visit(self, network: InertObject, prefix: str, depth: int) -> None:
        variables, components = network.state.get("variables"), network.state.get("components", {})
        settings = network.state.get("static_kwargs", {})
        if isinstance(variables, dict):
            variables = list(variables.items())
        if not isinstance(variables, list) or not isinstance(components, dict) or not isinstance(settings, dict):
            raise InputError("the file has a network that is not understood")
        # A network can contain itself, or the same one many times.
        if depth == 0 or len(self._arrays) + len(variables) > _MAX_VARIABLES or len(components) > _MAX_DEPTH:
            raise InputError("it has networks within networks, or variables, without end, as no honest file has")
        self._settings[prefix] = settings
        for entry in variables:
            if not isinstance(entry, tuple | list) or len(entry) != 2 or not isinstance(entry[0], str):
                raise InputError("the file has a variable that is not understood")
            self._arrays[prefix + entry[0]] = entry[1]
        for name, component in components.items():
            if isinstance(name, str) and _is_network(component):
                self._visit(component, f"{prefix}{name[:100]}/", depth - 1)

    def __contains__(self, name: str) -> bool:
        return name in self._arrays

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def setting(self, component: str, name: str, default: object) -> object:
        """A keyword that the network was made with; its sub-network's own (``mapping/``) or the whole's."""
        for prefix in (component, ""):
            settings = self._settings.get(prefix, {})
            if name in settings:
                return settings[name]
        return default

    def number(self, component: str, name: str, default: float) -> float:
        """A setting that has to be a number.

        Raises:
            InputError: it is none.
        """
        value = self.setting(component, name, default)
        try:
            number = float(cast(Any, value))
        except (TypeError, ValueError, OverflowError) as error:
            raise InputError(f"its setting {name} is no number") from error
        if not math.isfinite(number):
            raise InputError(f"its setting {name} is no number")
        return number

    def taps(self, component: str, name: str, default: tuple[float, ...]) -> tuple[float, ...]:
        """A setting that has to be a filter of one dimension with a sum other than 0.

        Raises:
            InputError: it is none.
        """
        value = self.setting(component, name, default)
        line = value.tolist() if isinstance(value, np.ndarray) else value
        honest = isinstance(line, list | tuple) and 1 <= len(line) <= 64
        if not honest or not all(isinstance(tap, int | float) and abs(tap) < 1e6 for tap in cast(Any, line)):
            raise InputError(f"its {name} is no filter of one dimension, and only those are read")
        taps = tuple(float(tap) for tap in cast(Any, line))
        if abs(math.fsum(taps)) < 1e-6:
            raise InputError(f"its {name} is no filter that keeps an even picture")
        return taps

    def check_settings(self, component: str, wanted: Mapping[str, object]) -> None:
        """Refuse a network with another setting than the only one that is read.

        Raises:
            InputError: one is another.
        """
        for name, value in wanted.items():
            given = self.setting(component, name, value)
            if given != value:
                raise InputError(f"its {name} is {str(given)[:40]!r}, and only {value!r} can be read")

    def lengths(self, name: str, dimensions: int) -> tuple[int, ...]:
        """The shape of a variable that has so many dimensions, none of them empty.

        Raises:
            InputError: the network has no such variable, or one of another shape.
        """
        shape: tuple[int, ...] = self._array(name).shape
        if len(shape) != dimensions or 0 in shape:
            raise InputError(f"its '{name}' has the shape {shape}, which does not fit a StyleGAN")
        return shape

    def tensor(self, name: str, *shape: int, factor: float = 1.0) -> Tensor:
        """A variable times a factor, float32, which must have the shape (0: any length).

        Raises:
            InputError: the network has no such variable, or it has another shape.
        """
        array = self._array(name)
        given = array.shape
        if not fits(given, shape):
            raise InputError(f"its '{name}' has the shape {given}, which does not fit its other variables")
        self._budget.charge(4 * array.size)
        self._read.add(name)
        return torch.from_numpy(np.array(array, dtype=np.float32)) * factor

    def check_all_read(self, unused: str) -> None:
        """Refuse a network with a variable that was not read, as its pictures would be made without it.

        Args:
            unused: a regular expression for the names of variables that do not matter.

        Raises:
            InputError: there is one; it is named.
        """
        for name in self._arrays:
            if name not in self._read and not re.fullmatch(unused, name):
                raise InputError(f"it has the variable '{name[:80]}', which no network that is read here has")

    def matrix(self, name: str, inputs: int, outputs: int, factor: float = 1.0) -> Tensor:
        """A fully connected layer's weight, ``[outputs, inputs]``; TensorFlow keeps it the other way round."""
        return self.tensor(name, inputs, outputs, factor=factor).T.contiguous()

    def kernel(self, name: str, side: int, inputs: int, outputs: int, factor: float = 1.0) -> Tensor:
        """A convolution's weight, ``[outputs, inputs, side, side]``; TensorFlow has the sides first."""
        return self.tensor(name, side, side, inputs, outputs, factor=factor).permute(3, 2, 0, 1).contiguous()

    def _array(self, name: str) -> "np.ndarray[Any, np.dtype[Any]]":
        if name not in self._arrays:
            raise InputError(f"its network lacks '{name}'")
        array = np.asarray(self._arrays[name])
        if array.dtype.kind not in "fiu":
            raise InputError(f"its '{name}' is no array of numbers")
        return array
