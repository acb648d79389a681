"""Small honest files for every reader of networks, of which hostile ones are made."""

import pickle
import tempfile
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save, save_file

from stylegan_latents.invert.photos.crop import Alignment
from stylegan_latents.invert.record.files import HEADER, canonical, digest
from stylegan_latents.invert.record.footage import Footage
from stylegan_latents.invert.record.source import Source

DATA = Path(__file__).parents[1] / "data"


def _generators(folder: Path) -> list[Path]:
    from stylegan_latents.generator.formats.native import save_native
    from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
    from tests.generator.networks.eg3d_files import random_eg3d
    from tests.generator.networks.stylegan_t_files import TEXTS, random_stylegan_t, stylegan_t_pickle
    from tests.generator.networks.stylenerf_files import random_stylenerf
    from tests.generator.stylegan2_files import random_stylegan2
    from tests.generator.stylegan3_files import random_stylegan3
    from tests.small_models import small_generator

    config = StyleGAN2Config(z_dim=8, mapping_widths=(8, 8), channels=(8, 8))
    for name, G in (
        ("mobile", small_generator()),
        ("two", random_stylegan2(config)),
        ("conditional", random_stylegan2(replace(config, label_dim=3, label_width=8))),
        ("three", random_stylegan3()),
        ("solid", random_eg3d()),
        ("field", random_stylenerf()),
        ("texts", random_stylegan_t(TEXTS, texts=3)),
    ):
        save_native(G, folder / f"{name}.safetensors")
    with torch.serialization.safe_globals([Namespace]):
        contents = torch.load(DATA / "stylegan2" / "rosinality.pt", weights_only=True)
    torch.save(contents, folder / "old.pt", _use_new_zipfile_serialization=False)
    save_file({f"g_ema.{k}": v.contiguous() for k, v in contents["g_ema"].items()}, folder / "state.safetensors")
    kinds = ("eg3d", "stylegan2", "stylegan3", "stylenerf", "tensorflow")
    pickles = [path for kind in kinds for path in (DATA / kind).glob("*.p*")]
    pickles.append(stylegan_t_pickle("one-picture-grey"))
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
    header = '{"kind": "training", "format": 1, "steps_done": 3, "about": {"batch": 2}}'
    (folder / "training.safetensors").write_bytes(save({"a": torch.ones(3)}, {"stylegan-latents": header}))
    return [folder / "training.safetensors"]


def _records(folder: Path) -> list[Path]:
    from tests.small_models import small_generator, small_record

    header, tensors = film_record()
    path = folder / "film.safetensors"
    text = canonical({**header, "sha256": digest(header, tensors)})
    path.write_bytes(save(tensors, metadata={HEADER: text}))
    small_record(small_generator()).save(folder / "one.inversion.safetensors")
    return [path, folder / "one.inversion.safetensors"]


def film_record() -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Header and tensors of a record that has all there is."""
    from tests.small_models import small_generator, small_record

    source = Source("film.mp4", "0" * 64, Path("film.mp4"))
    quad = np.array([[10.0, 10], [10, 40], [40, 40], [40, 10]])
    record = small_record(
        small_generator(), 2,
        noise=[torch.ones(1, 1, 4, 4)], weights={"synthesis.a": torch.ones(1, 3)},
        alignments=[Alignment(quad, (64, 64), 32, "ffhq")] * 2,
        footage=Footage(source, (64, 64), 25.0, (0.0, 0.04, 0.08), (0, 2), (), 2, ()),
    )  # fmt: skip
    return record._header(Path.cwd()), record.tensors()


def _directions(folder: Path) -> list[Path]:
    from stylegan_latents.editing.directions.direction import Direction

    Direction("smile", "small", torch.ones(1, 8), 1.0, provenance={"a": "b"}).save(folder / "a.safetensors")
    return [folder / "a.safetensors"]


def _flows(folder: Path) -> list[Path]:
    from tests.editing.nonlinear.small_flows import small_flow

    small_flow().save(folder / "own.safetensors")
    return [folder / "own.safetensors", DATA / "styleflow" / "flow.pt"]


def _mappers(_folder: Path) -> list[Path]:
    return sorted((DATA / "styleclip").glob("*.pt"))


def _pose_with_style(_folder: Path) -> list[Path]:
    return [DATA / "pose_with_style" / "256.pt"]


def _completions(_folder: Path) -> list[Path]:
    return [DATA / "pose_with_style" / "completion.pt"]


def _iuv_maps(folder: Path) -> list[Path]:
    from PIL import Image

    from tests.editing.repose.people import figure

    Image.fromarray(figure(24, 32)).save(folder / "a.png")
    return [folder / "a.png"]


def _parts(folder: Path) -> list[Path]:
    from stylegan_latents.editing.regions.parts import Parts

    parts = Parts(("eyes", "hair"), torch.ones(4, 3), torch.tensor([0, 1, 0, 1]), torch.ones(2, 5), "m", "f")
    parts.save(folder / "a.safetensors")
    return [folder / "a.safetensors"]


def _codes(folder: Path) -> list[Path]:
    np.savez(folder / "a.npz", w=np.ones((1, 6, 8), np.float32))
    np.savez_compressed(folder / "b.npz", w=np.ones((6, 8)), b=np.arange(8))
    np.save(folder / "c.npy", np.ones((1, 8), np.float16))
    np.save(folder / "d.npy", np.array({"a": {"latent": np.ones((1, 8))}}, dtype=object), allow_pickle=True)
    return sorted(folder.iterdir())


def _text_codes(folder: Path) -> list[Path]:
    np.save(folder / "a.npy", np.ones((2, 8), np.float32))
    np.savez_compressed(folder / "b.npz", np.ones(8))
    torch.save(torch.ones(1, 8), folder / "c.pt")
    save_file({"texts": torch.ones(2, 8)}, folder / "d.safetensors")
    return sorted(folder.iterdir())


def _published(folder: Path) -> list[Path]:
    torch.save(torch.ones(1, 8), folder / "a.pt")
    torch.save([{"comp": torch.ones(3, 8), "mean": [1.0] * 8}], folder / "b.pt")
    torch.save((torch.ones(6, 8).half(),), folder / "c.pt", _use_new_zipfile_serialization=False)
    return sorted(folder.iterdir())


def _scores(folder: Path) -> list[Path]:
    (folder / "a.csv").write_text("seed,truncation,smile\n1,0.7,0.25\n2,,nan\n")
    (folder / "b.csv").write_text('record,"smile, wide"\na.safetensors,1\n')
    return sorted(folder.iterdir())


def _reports(folder: Path) -> list[Path]:
    from stylegan_latents.invert.commands.report_table import COLUMNS

    (folder / "a.csv").write_text(",".join(COLUMNS) + "\n" + ",".join("1" for _ in COLUMNS) + "\n")
    return [folder / "a.csv"]


def _landmarks(folder: Path) -> list[Path]:
    points = '"left_eye": [310, 402], "right_eye": [455, 398], "mouth_left": [330, 560], "mouth_right": [440, 556]'
    (folder / "a.json").write_text(f"{{{points}}}")
    (folder / "b.json").write_text(f"[{{{points}}}, {{{points}}}]")
    return sorted(folder.iterdir())


def _plans(folder: Path) -> list[Path]:
    (folder / "plan.json").write_text(
        '{"key": {"film": "a"}, "times": [0.0], "frames": [0], "quads": [[[0, 0], [0, 9], [9, 9], [9, 0]]], '
        '"seen": [true], "scenes": [[0, 1]]}'
    )
    return [folder / "plan.json"]


def _network_settings(folder: Path) -> list[Path]:
    (folder / "a.json").write_text(
        '{"size": {"height": 8, "width": 8}, "crop_pct": 0.9, "resample": 2, "rescale_factor": 0.1, "image_mean": '
        '[0, 0, 0], "image_std": [1, 1, 1], "id2label": {"0": "a", "1": "b"}, "outputs": "logits"}'
    )
    return [folder / "a.json"]


def _photos(folder: Path) -> list[Path]:
    from PIL import Image

    for kind in ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM"):
        Image.effect_noise((24, 20), 50).convert("RGB").save(folder / f"a.{kind.lower()}", kind)
    Image.effect_noise((24, 20), 50).convert("LA").save(folder / "alpha.png")
    Image.effect_noise((24, 20), 50).convert("I").save(folder / "deep.tif")
    Image.effect_noise((24, 20), 50).convert("F").save(folder / "float.tif")
    return sorted(folder.iterdir())


def _lookups(folder: Path) -> list[Path]:
    path = folder / "a.npy"
    np.save(path, np.full((24, 256, 256, 2), 0.5, np.float16))
    return [path]


def _graphs(folder: Path) -> list[Path]:
    edges = "".join(f'<edge from-layer="{a}" from-port="0" to-layer="{b}" to-port="{c}"/>' for a, b, c in (
        (0, 2, 0), (1, 3, 0), (3, 2, 1), (2, 4, 0), (1, 4, 1),
    ))  # fmt: skip
    data = '<data shape="2, 2" offset="0" size="16" element_type="f32"/>'
    kinds = ("Parameter", "Const", "MatMul", "Reshape", "Add")
    layers = "".join(f'<layer id="{i}" name="n{i}" type="{kind}">{data}</layer>' for i, kind in enumerate(kinds))
    path = folder / "MappingNetwork.xml"
    path.write_text(f"<net><layers>{layers}</layers><edges>{edges}</edges></net>")
    return [path]


_NETWORKS: dict[str, Callable[[Path], list[Path]]] = {
    "generator": _generators,
    "discriminator": _discriminators,
    "pickle": _pickles,
    "lpips": _lpips,
    "dlib network": _dlib,
    "encoder": _encoders,
    "training": _trainings,
    "flow": _flows,
    "mapper": _mappers,
    "pose with style": _pose_with_style,
    "coordinate completion": _completions,
}
_SHARED = {"latent space": "generator", "encoder contents": "encoder"}
_OTHERS: dict[str, Callable[[Path], list[Path]]] = {
    "record": _records,
    "signed record": _records,
    "film record": _records,
    "direction": _directions,
    "published direction": _published,
    "codes": _codes,
    "text codes": _text_codes,
    "parts": _parts,
    "scores": _scores,
    "report": _reports,
    "landmarks": _landmarks,
    "film plan": _plans,
    "network settings": _network_settings,
    "photo": _photos,
    "iuv map": _iuv_maps,
    "texture lookup": _lookups,
    "mask": _photos,
    "openvino": _graphs,
}
HONEST, OTHERS = [*_NETWORKS, *_SHARED], list(_OTHERS)
"""The readers of ``tests.hostile.readers`` that have honest files here: of networks, and of anything else."""


def honest_files(reader: str, folder: Path) -> list[Path]:
    """The honest files of a reader; those that ``tests/data`` lacks are written below ``folder``."""
    return {**_NETWORKS, **_OTHERS}[_SHARED.get(reader, reader)](Path(tempfile.mkdtemp(dir=folder)))
