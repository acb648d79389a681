"""The one table of names for all checkpoints: networks, and whatever else lies beside them, as inert objects.

A checkpoint can hold whole networks (NVIDIA's pickles, ``torch.save(network)``) and bystanders: paths, dates,
settings of any package. None of their classes is imported: each becomes an ``InertObject``, of which only its
attributes are read. Names of the standard library, NumPy and PyTorch that are no plain data are refused.
"""

import io
import sys
from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.safe_pickle.inert_torch import TORCH, InertDict, InertObject, Known, NotRead
from stylegan_latents.generator.formats.safe_pickle.stand_ins import PLAIN, StandIn, name_only
from stylegan_latents.generator.formats.safe_pickle.torch_file import read_stream
from stylegan_latents.generator.reading.budget import Budget

_PERSISTENCE = "persistence._reconstruct_persistent_obj"
_STRICT = {*sys.stdlib_module_names, "__builtin__", "cPickle", "commands", "copy_reg", "numpy", "pip", "torch"}
"""Packages of which only the names below are plain data."""

_PLAIN_DATA = (
    "_random.Random", "argparse.Namespace", "array.", "collections.", "copy_reg._reconstructor",
    "copyreg._reconstructor", "datetime.", "decimal.", "enum.", "fractions.", "functools.partial", "ipaddress.",
    "itertools.", "logging.", "math.", "pathlib.", "random.", "re._compile", "time.struct_time", "typing.",
    "types.MappingProxyType", "types.SimpleNamespace", "uuid.", "zoneinfo.",
    "numpy.dtypes.", "numpy.ma.core.", "numpy.random.",
    "torch.Generator", "torch._C.Generator", "torch._C._nn.", "torch._dynamo.eval_frame.OptimizedModule",
    "torch.amp.", "torch.ao.nn.", "torch.cuda.amp.", "torch.distributions.", "torch.nn.", "torch.optim.",
    "torch.random.", "torch.serialization._get_layout", "torch.torch_version.", "torch.utils.data.",
)  # fmt: skip
_TYPES = {"bool", "bytes", "complex", "dict", "float", "int", "list", "object", "range", "slice", "str", "tuple"}
_DILL_SETATTR = ("_dill", "_setattr")
_DTYPES = ("bfloat", "bool", "complex", "float", "int", "uint")


def _module(budget: Budget, meta: object) -> InertObject:
    """What ``torch_utils.persistence._reconstruct_persistent_obj``, of any fork, is taken for."""
    state = meta.get("state") if isinstance(meta, dict) else None
    name = meta.get("class_name") if isinstance(meta, dict) else None
    if not isinstance(state, dict) or not isinstance(name, str):
        raise InputError("the file has a network that is not understood")
    made: InertObject = type("_Network", (InertObject,), {"_budget": budget})()
    made.class_name, made.state = name[:100], state
    return made


def _nested_storage(budget: Budget, contents: object) -> object:
    """What ``torch.storage._load_from_bytes`` is taken for: the older format of torch.save, within a pickle."""
    if not isinstance(contents, bytes):
        raise InputError("the file has a tensor that is not understood")
    budget.charge(len(contents) + 1024)
    # Its own table has no bytes to open again, so nothing nests further.
    return read_stream(io.BytesIO(contents), "a tensor inside the file", TORCH, slack=1 << 20)


def _dill_array(_budget: Budget, make: object, arguments: object, state: object, *_attributes: object) -> object:
    """What ``dill._dill._create_array`` is taken for: an array made by the stand-in of numpy's function."""
    array: Any = make(*arguments) if isinstance(make, StandIn) and isinstance(arguments, tuple) else None
    if not isinstance(array, np.ndarray):
        raise InputError("the file has an array that is not understood")
    array.__setstate__(cast(Any, state))  # numpy's own class would take less, the stand-in checks more
    return array


def _dill_type(budget: Budget, name: object) -> object:
    """What ``dill._dill._load_type`` is taken for: one of Python's own types, by its name."""
    plain = Known("MethodType") if name == "MethodType" else PLAIN.get(f"builtins.{name}")
    if plain is None:
        raise InputError(f"the file asks for the type {str(name)[:40]!r}, which is not needed for weights")
    return plain.bound(budget)


def _getattr(budget: Budget, owner: object, name: object, _default: object = None) -> object:
    """What ``getattr`` is taken for: in a discriminator's hooks, dill finds its own ``_setattr`` by it."""
    name_of = owner.class_name if isinstance(owner, type) and issubclass(owner, InertObject) else ""
    if (name_of, name) != _DILL_SETATTR:
        raise InputError("the file asks for 'builtins.getattr', which could run code and is not needed for weights")
    return Known("_setattr").bound(budget)


def _reconstructor(_budget: Budget, kind: object, _base: object = None, _state: object = None) -> object:
    """What ``copyreg._reconstructor`` is taken for: an object as protocols 0 and 1 write it."""
    if not isinstance(kind, type) or not issubclass(kind, InertObject | InertDict):
        raise InputError("the file has an object that is not understood")
    return kind()


class _CheckpointNames(dict[str, StandIn]):
    """A table of names in which plain data and the classes of other packages are inert objects."""

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and _is_plain_data(name))

    def __missing__(self, name: str) -> StandIn:
        return StandIn(_module) if name.endswith(_PERSISTENCE) else Known(name.rpartition(".")[2])


def _is_plain_data(name: str) -> bool:
    package, _, rest = name.partition(".")
    if package not in _STRICT:
        return True
    if package in ("builtins", "__builtin__"):
        return rest in _TYPES
    return name.startswith(_PLAIN_DATA) or (package in ("numpy", "torch") and rest.startswith(_DTYPES))


CHECKPOINT: Mapping[str, StandIn] = _CheckpointNames(
    {
        **TORCH,
        "builtins.getattr": StandIn(_getattr),
        "builtins.setattr": StandIn(name_only),
        "collections.defaultdict": Known("defaultdict", InertDict),
        "copyreg._reconstructor": StandIn(_reconstructor),
        "copy_reg._reconstructor": StandIn(_reconstructor),
        "dill._dill._create_array": StandIn(_dill_array),
        "dill._dill._load_type": StandIn(_dill_type),
        "torch.storage._load_from_bytes": StandIn(_nested_storage),
        "tfutil.Network": NotRead("it is a pickle of the Progressive GAN repository, which is not read"),
    }
)
"""What each name in a checkpoint is taken for."""
