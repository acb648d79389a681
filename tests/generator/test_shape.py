import sys
from pathlib import Path

import mrcfile
import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.shape import Mesh, find_shape, find_volume
from tests.generator.networks.eg3d_files import random_eg3d
from tests.small_models import small_generator


def _ball() -> Generator:
    """A model with a head that is dense within some distance of the centre of each plane."""
    G = random_eg3d()
    with torch.no_grad():
        for parameter in G.synthesis.decoder.parameters():
            parameter.zero_()
        G.synthesis.decoder.hidden.weight[0, 0] = 1
        G.synthesis.decoder.out.weight[0, 0] = 40
        G.synthesis.decoder.out.weight[1, 0] = 9
    line = torch.linspace(-1, 1, 16)
    near = 2 - 6 * (line[:, None].square() + line.square())
    G.synthesis.planes = lambda *_, **__: near.expand(1, 3, 4, 16, 16)
    return G


def test_a_mesh_is_closed_lies_in_the_middle_and_faces_outwards() -> None:
    mesh = find_shape(_ball(), torch.zeros(1, 6, 5), side=24, level=40.0)
    assert abs(mesh.vertices.mean(axis=0)).max() < 0.02
    assert 0.1 < abs(mesh.vertices).max() < 0.5
    edges = np.sort(np.concatenate([mesh.faces[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0))]), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()
    a, b, c = (mesh.vertices[mesh.faces[:, corner]].astype(float) for corner in range(3))
    assert (a * np.cross(b, c)).sum() / 6 > 0.001, "its volume, which is negative for faces turned inwards"
    assert (mesh.colours[:, 0] > mesh.colours[:, 1]).all()


def test_a_file_holds_the_mesh(tmp_path: Path) -> None:
    corners = np.arange(12, dtype=np.float32).reshape(4, 3)
    mesh = Mesh(corners, np.full((4, 3), 7, np.uint8), np.array([[0, 1, 2], [0, 2, 3]], np.int32))
    mesh.save_ply(tmp_path / "head.ply")
    header, _, body = (tmp_path / "head.ply").read_bytes().partition(b"end_header\n")
    assert header.startswith(b"ply\nformat binary_little_endian 1.0\nelement vertex 4\n")
    assert b"element face 2\n" in header
    assert len(body) == 4 * 15 + 2 * 13
    assert np.frombuffer(body[:12], "<f4").tolist() == [0, 1, 2]
    assert np.frombuffer(body[-12:], "<i4").tolist() == [0, 2, 3]
    for name, sentence in (("head.ply", "exists already"), ("head.obj", r"ends with \.ply")):
        with pytest.raises(InputError, match=sentence):
            mesh.save_ply(tmp_path / name)


def test_a_volume_holds_the_densities_where_the_mesh_lies(tmp_path: Path) -> None:
    ws = torch.zeros(1, 6, 5)
    volume, mesh = find_volume(_ball(), ws, side=24), find_shape(_ball(), ws, side=24, level=40.0)
    volume.save_mrc(tmp_path / "head.mrc")
    with mrcfile.open(tmp_path / "head.mrc") as file:
        data, step = file.data, float(file.voxel_size.x)
        origin = float(file.header.origin.x)
    assert np.array_equal(data.transpose(2, 1, 0), volume.densities)
    assert step == pytest.approx(volume.box / 23)
    assert origin == pytest.approx(-volume.box / 2)
    places = (mesh.vertices[:, ::-1].T - origin) / step
    assert np.median(map_coordinates(data, places, order=1)) == pytest.approx(40, rel=1e-3)
    with pytest.raises(InputError, match=r"ends with \.mrc"):
        volume.save_mrc(tmp_path / "head.ply")


def test_what_has_no_shape_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    flat = small_generator()
    with pytest.raises(InputError, match="no camera"):
        find_shape(flat, flat.sample([0]))
    with pytest.raises(InputError, match="no surface: nothing is as dense as 1000"):
        find_shape(_ball(), torch.zeros(1, 6, 5), side=16, level=1000)
    with pytest.raises(ValueError, match="16 to 512"):
        find_shape(_ball(), torch.zeros(1, 6, 5), side=4)
    monkeypatch.setitem(sys.modules, "skimage.measure", None)
    with pytest.raises(InputError, match="needs scikit-image"):
        find_shape(_ball(), torch.zeros(1, 6, 5))
