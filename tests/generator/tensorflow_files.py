"""Small pickles written by NVIDIA's TensorFlow code from random weights, and what that code computes with them.

``tests/data/README.md`` says how they came about. The text that such pickles hold in the place of source code ends
the process when it is executed.
"""

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import load_file
from torch import Tensor

FOLDER = Path(__file__).parents[1] / "data" / "tensorflow"
STYLEGAN1 = ("stylegan1-conditional", "stylegan1-growing")
STYLEGAN2 = ("stylegan2-conditional", "stylegan2-revised", "stylegan2-ada-conditional")


def tensorflow_pickle(name: str = STYLEGAN1[0]) -> Path:
    return FOLDER / f"{name}.pkl"


def expected(name: str) -> dict[str, Tensor]:
    """The official code's results: z, label, ws, ws_plus, image, gradient, scores and others."""
    return load_file(FOLDER / f"{name}.expected.safetensors")


class Network:
    """Pickles as a network of the TensorFlow repositories."""

    def __init__(self, variables: Any, components: Any = None, **settings: object) -> None:
        self.variables, self.components, self.settings = (
            variables,
            {} if components is None else components,
            settings,
        )
        self.builder = "G_style"

    def __getstate__(self) -> dict[str, Any]:
        return {
            "version": 3,
            "name": "G",
            "static_kwargs": self.settings,
            "components": self.components,
            "build_module_src": "raise SystemExit",
            "build_func_name": self.builder,
            "variables": self.variables,
        }


class _Pickler(pickle._Pickler):  # type: ignore[name-defined]  # the Python one can rename classes
    def save_global(self, thing: Any, name: str | None = None) -> None:
        if thing is not Network:
            super().save_global(thing, name)
        elif self.proto >= 4:
            self.save("dnnlib.tflib.network")
            self.save("Network")
            self.write(pickle.STACK_GLOBAL)
        else:
            self.write(pickle.GLOBAL + b"dnnlib.tflib.network\nNetwork\n")


def dumps(contents: object, protocol: int = 4) -> bytes:
    """A pickle in which ``Network`` has NVIDIA's name."""
    file = io.BytesIO()
    _Pickler(file, protocol).dump(contents)
    return file.getvalue()


def networks(name: str = STYLEGAN1[0]) -> tuple[Network, ...]:
    """The networks of a file, to be changed and pickled again."""
    from stylegan_latents.generator.formats.nvidia.tensorflow_network import networks_in
    from stylegan_latents.generator.formats.safe_pickle.checkpoint_names import CHECKPOINT
    from stylegan_latents.generator.formats.safe_pickle.unpickler import load_inert

    def rebuilt(network: Any) -> Network:
        state = network.state
        variables = [(key, np.array(value)) for key, value in state["variables"]]
        made = Network(variables, {key: rebuilt(part) for key, part in state["components"].items()})
        made.settings, made.builder = dict(state["static_kwargs"]), state["build_func_name"]
        return made

    return tuple(rebuilt(part) for part in networks_in(load_inert(tensorflow_pickle(name), stand_ins=CHECKPOINT)))
