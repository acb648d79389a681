"""The OpenVINO reader gets the default model whole, and says one sentence about anything else."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from stylegan_latents import generator
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.native import average_w, build
from stylegan_latents.generator.formats.openvino_ir import read_mobile_stylegan
from stylegan_latents.generator.weights import zoo

FILES = ("MappingNetwork.xml", "MappingNetwork.bin", "SynthesisNetwork.xml", "SynthesisNetwork.bin")


@pytest.fixture(scope="module")
def ir() -> Path:
    return zoo.fetch("ffhq-openvino")


@pytest.fixture
def copied(ir: Path, tmp_path: Path) -> Path:
    """The four files, to be damaged."""
    for name in FILES:
        shutil.copyfile(ir / name, tmp_path / name)
    return tmp_path


@pytest.mark.slow
def test_converted_file_equals_a_fresh_conversion(ir: Path) -> None:
    """Every tensor, bit by bit; the mean w is averaged at conversion, so another sample is only near."""
    kept = generator.load("ffhq")
    config, tensors = read_mobile_stylegan(ir)
    fresh = build(config, tensors | {"w_avg": kept.w_avg}, name="fresh")
    assert set(tensors) | {"w_avg"} == set(kept.state_dict())
    for name, tensor in fresh.state_dict().items():
        assert torch.equal(tensor, kept.state_dict()[name]), name
    assert fresh.fingerprint == kept.fingerprint
    assert (config.z_dim, config.w_dim, config.resolution) == (kept.z_dim, kept.w_dim, kept.resolution)
    other = average_w(fresh.mapping, config.z_dim, samples=4000, seed=1)
    assert (other - kept.w_avg).norm() < 0.05 * (kept.w_avg - fresh.sample([0])[0, 0]).norm()


def test_nothing_of_the_files_stays_open_or_shared(copied: Path) -> None:
    """Tensors are copies: a file that changes later changes nothing."""
    _, tensors = read_mobile_stylegan(copied)
    before = {name: tensor.clone() for name, tensor in tensors.items()}
    for name in FILES:
        (copied / name).write_bytes(b"")
    assert all(torch.equal(tensor, before[name]) for name, tensor in tensors.items())


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [None, b"", b"<html>Sign in</html>"], ids=["missing", "empty", "html"])
def test_a_file_that_is_missing_empty_or_html(copied: Path, name: str, content: bytes | None) -> None:
    (copied / name).unlink()
    if content is not None:
        (copied / name).write_bytes(content)
    _refused(copied)


@pytest.mark.parametrize("name", FILES)
def test_a_truncated_file(copied: Path, name: str) -> None:
    content = (copied / name).read_bytes()
    (copied / name).write_bytes(content[: len(content) * 2 // 3])
    _refused(copied)


def _without(pattern: str, by: str = "") -> Callable[[str], str]:
    return lambda text: re.sub(pattern, by, text, count=1)


@pytest.mark.parametrize(
    "change",
    [
        _without('type="Convolution"', 'type="Other"'),
        _without('name="m.input.input"', 'name="other"'),
        _without(r'name="m\.layers\.0\.conv1\.conv\.weight_dw"', 'name="other"'),
        _without(r'name="m\.layers\.3\.up\.modulation\.weight"', 'name="other"'),
        _without('element_type="f32" shape', 'element_type="u4" shape'),
        _without(r"<edges>(.|\n)*</edges>", "<edges/>"),
        _without(r"<layers>(.|\n)*</layers>", "<layers/>"),
        lambda text: re.sub(r'<data element_type="f32" [^>]*/>', "", text),
        lambda text: re.sub(r' shape="(\d+)', r' shape="1\1', text),
        lambda text: re.sub(r'size="(\d+)"', 'size="many"', text),
        lambda text: re.sub('to-port="', 'port="', text),
    ],
)
def test_another_or_damaged_synthesis_network(copied: Path, change: Callable[[str], str]) -> None:
    xml = copied / "SynthesisNetwork.xml"
    changed = change(xml.read_text(encoding="utf-8"))
    assert changed != xml.read_text(encoding="utf-8")
    xml.write_text(changed, encoding="utf-8")
    _refused(copied)


def test_a_graph_in_a_circle(copied: Path) -> None:
    """Each reshaping feeds itself."""
    xml = copied / "SynthesisNetwork.xml"
    text = xml.read_text(encoding="utf-8")
    for layer in re.findall(r'<layer id="(\d+)"[^>]*type="(?:Reshape|Unsqueeze|Squeeze)"', text):
        text = re.sub(
            rf'from-layer="\d+"( from-port="\d+" to-layer="{layer}" to-port="0")', rf'from-layer="{layer}"\1', text
        )
    assert text != xml.read_text(encoding="utf-8")
    xml.write_text(text, encoding="utf-8")
    _refused(copied)


def test_more_layers_than_a_network_has(copied: Path) -> None:
    xml = copied / "MappingNetwork.xml"
    more = "".join(f'<layer id="x{index}" name="x{index}" type="Add"/>' for index in range(30_000))
    xml.write_text(xml.read_text(encoding="utf-8").replace("</layers>", f"{more}</layers>"), encoding="utf-8")
    _refused(copied)


@pytest.mark.parametrize("swap", [True, False])
def test_the_two_networks_in_one_anothers_place(ir: Path, tmp_path: Path, swap: bool) -> None:
    for suffix in (".xml", ".bin"):
        mapping, synthesis = f"MappingNetwork{suffix}", f"SynthesisNetwork{suffix}"
        shutil.copyfile(ir / (synthesis if swap else mapping), tmp_path / mapping)
        shutil.copyfile(ir / mapping, tmp_path / synthesis)
    _refused(tmp_path)


def _refused(folder: Path) -> None:
    """One sentence, ended by a full stop."""
    with pytest.raises(InputError, match=r"^[^\n]+\.$"):
        generator.load(folder)
