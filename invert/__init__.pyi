from .faces.align import align_face, require_faces
from .faces.find import find_faces
from .invert_face import Portrait, invert_face
from .inverters.base import Inverter, Progress, SearchSettings, identity_loss_of
from .inverters.by_name import INVERTERS, make_inverter
from .inverters.encode import EncoderInverter
from .inverters.hybrid import HybridInverter
from .inverters.layered import LayeredInversion
from .inverters.noise import NoiseOptimization, NoiseSettings
from .inverters.optimize import OptimizationInverter
from .inverters.options import InverterOptions
from .inverters.pivotal import PivotalTuning
from .inverters.tuning import TuningSettings
from .paste_back.paste import paste_back
from .photos.crop import Alignment
from .photos.files import read_photo, save_picture, to_picture, to_tensor
from .record.inversion import Inversion
from .record.parquet import read_records

__all__ = [
    "INVERTERS",
    "Alignment",
    "EncoderInverter",
    "HybridInverter",
    "Inversion",
    "Inverter",
    "InverterOptions",
    "LayeredInversion",
    "NoiseOptimization",
    "NoiseSettings",
    "OptimizationInverter",
    "PivotalTuning",
    "Portrait",
    "Progress",
    "SearchSettings",
    "TuningSettings",
    "align_face",
    "find_faces",
    "identity_loss_of",
    "invert_face",
    "make_inverter",
    "paste_back",
    "read_photo",
    "read_records",
    "require_faces",
    "save_picture",
    "to_picture",
    "to_tensor",
]
