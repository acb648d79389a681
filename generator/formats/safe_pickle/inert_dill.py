"""Stand-ins for what StyleGAN-XL's files hold: they are written by dill, with a discriminator of other packages.

Only the generator is read. Whatever belongs to the packages below becomes an object without behaviour: no class of
theirs is imported, and functions that dill stores as code are never made.
"""

from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.safe_pickle.inert_torch import Known
from stylegan_latents.generator.formats.safe_pickle.stand_ins import PLAIN, Budget, StandIn

_PACKAGES = (
    "dill._dill.",
    "feature_networks.",
    "pg_modules.",
    "timm.",
    "torch.ao.nn.",
    "torch.nn.modules.",
    "torch.nn.utils.spectral_norm.",
)


def _array(_budget: Budget, make: object, arguments: object, state: object, *_attributes: object) -> object:
    """What ``dill._dill._create_array`` is taken for: an array made by the stand-in of numpy's function."""
    if not isinstance(make, StandIn) or not isinstance(arguments, tuple):
        raise InputError("the file has an array that is not understood")
    array: Any = make(*arguments)
    if not isinstance(array, np.ndarray):
        raise InputError("the file has an array that is not understood")
    array.__setstate__(cast(Any, state))  # numpy's own class would take less, the stand-in checks more
    return array


def _type(budget: Budget, name: object) -> object:
    """What ``dill._dill._load_type`` is taken for: one of Python's own types, by its name."""
    plain = PLAIN.get(f"builtins.{name}")
    if plain is None:
        raise InputError(f"the file asks for the type {str(name)[:40]!r}, which is not needed for weights")
    return plain.bound(budget)


class IgnoringPackages(dict[str, StandIn]):
    """A table of names in which everything of StyleGAN-XL's own and borrowed packages is an inert object."""

    def __init__(self, table: Mapping[str, StandIn]) -> None:
        super().__init__(table)
        self["dill._dill._create_array"], self["dill._dill._load_type"] = StandIn(_array), StandIn(_type)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and name.startswith(_PACKAGES))

    def __missing__(self, name: str) -> StandIn:
        return Known(name.rpartition(".")[2])
