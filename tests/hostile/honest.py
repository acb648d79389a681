"""Small honest files for every reader of networks, of which hostile ones are made."""

import io
import pickle
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

DATA = Path(__file__).parents[1] / "data"


def _generators(folder: Path) -> list[Path]:
    from stylegan_latents.generator.formats.native import save_native
    from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
    from tests.generator.stylegan2_files import random_stylegan2
    from tests.generator.stylegan3_files import random_stylegan3
    from tests.small_models import small_generator

    config = StyleGAN2Config(z_dim=8, mapping_widths=(8, 8), channels=(8, 8))
    for name, G in (
        ("mobile", small_generator()),
        ("two", random_stylegan2(config)),
        ("conditional", random_stylegan2(replace(config, label_dim=3, label_width=8))),
        ("three", random_stylegan3()),
    ):
        save_native(G, folder / f"{name}.safetensors")
    with torch.serialization.safe_globals([Namespace]):
        contents = torch.load(DATA / "stylegan2" / "rosinality.pt", weights_only=True)
    torch.save(contents, folder / "old.pt", _use_new_zipfile_serialization=False)
    save_file({f"g_ema.{k}": v.contiguous() for k, v in contents["g_ema"].items()}, folder / "state.safetensors")
    pickles = [path for kind in ("stylegan2", "stylegan3", "tensorflow") for path in (DATA / kind).glob("*.p*")]
    return [*folder.glob("*.safetensors"), folder / "old.pt", *sorted(pickles)]


def _discriminators(_folder: Path) -> list[Path]:
    return sorted((DATA / "discriminators").glob("*.pkl")) + sorted((DATA / "tensorflow").glob("*.pkl"))[:2]


def _encoders(folder: Path) -> list[Path]:
    from stylegan_latents.encoders.formats.native import save_encoder
    from tests.encoders.small_encoders import small_encoder
    from tests.small_models import small_generator

    G = small_generator()
    made = []
    for architecture in ("plain", "perceptual", "e4e"):
        made.append(folder / f"{architecture}.safetensors")
        save_encoder(small_encoder(G, architecture), made[-1])  # type: ignore[arg-type]
    return [*made, *(DATA / "encoders" / f"{name}.pt" for name in ("psp", "psp-w", "e4e", "restyle-e4e"))]


def _pickles(folder: Path) -> list[Path]:
    path = folder / "plain.pkl"
    values = {
        "a": np.arange(6.0).reshape(2, 3),
        "b": [1, 2.5, "text", None, (1, 2)],
        "c": {1, 2},
        "d": b"raw",
    }
    path.write_bytes(pickle.dumps(values, 4))
    (folder / "old.pkl").write_bytes(pickle.dumps(values, 0))
    return [path, folder / "old.pkl"]


def _lpips(folder: Path) -> list[Path]:
    layers = {f"Conv_{i}": {"kernel": np.ones((3, 3, 3, 3)), "bias": np.zeros(3)} for i in range(2)}
    heads = {f"NetLinLayer_{i}": {"Conv_0": {"kernel": np.ones((1, 1, 3, 1))}} for i in range(2)}
    (folder / "alexnet.ckpt").write_bytes(pickle.dumps({"AlexNet_0": layers, **heads}, 4))
    return [folder / "alexnet.ckpt"]


def _dlib(folder: Path) -> list[Path]:
    from tests.dlib_networks import small_network

    (folder / "network.dat").write_bytes(small_network())
    return [folder / "network.dat"]


def _trainings(folder: Path) -> list[Path]:
    from safetensors.torch import save

    header = '{"kind": "training", "format": 1, "steps_done": 3, "about": {"batch": 2}}'
    (folder / "training.safetensors").write_bytes(save({"a": torch.ones(3)}, {"stylegan-latents": header}))
    return [folder / "training.safetensors"]


HONEST: dict[str, Callable[[Path], list[Path]]] = {
    "generator": _generators,
    "latent space": _generators,
    "discriminator": _discriminators,
    "pickle": _pickles,
    "lpips": _lpips,
    "dlib network": _dlib,
    "encoder": _encoders,
    "encoder contents": _encoders,
    "training": _trainings,
}
"""For each reader of ``tests.hostile.readers``: what names its honest files, and writes those that are made."""


def pickled(value: object, protocol: int = 4) -> bytes:
    """A value's pickle by the pure Python pickler, which writes plain opcodes."""
    stream = io.BytesIO()
    pickle._Pickler(stream, protocol).dump(value)  # type: ignore[attr-defined]
    return stream.getvalue()
