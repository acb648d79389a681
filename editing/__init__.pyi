from .directions.apply import Edit, apply_edits, edited_styles
from .directions.calibration import calibrated
from .directions.catalogue import find_direction, known_directions
from .directions.direction import Direction
from .discovery.finders.examples import Examples
from .discovery.finders.ganspace import GANSpace
from .discovery.finders.interfacegan import InterFaceGAN
from .discovery.finders.low_rank import LowRank
from .discovery.finders.sefa import SeFa
from .discovery.finders.stylespace import StyleSpace
from .discovery.finders.text import TextDirections
from .discovery.scorers.faces import FaceScorer
from .drag.drag import Drag
from .drag.handles import Handle
from .evaluation.evaluator import Contender, Evaluator
from .films.morph import Morph
from .films.trajectories import linear, slerp, spline, sweep
from .mixing.by_part import PartDonor, mix_parts
from .mixing.find_parts import parts_of
from .mixing.mixing import Donor, mix
from .nonlinear.attribute_flow import AttributeFlow, FlowEdit
from .nonlinear.flow_files import load_flow
from .nonlinear.mapper import MapperEdit, load_mapper
from .records.opened import OpenRecord
from .regions.blending import blend_pictures
from .regions.regions import region_masks
from .repose.repose import Person, Reposer, read_iuv
from .samples.sampling import Sampling
from .text.optimizer import TextOptimizer

__all__ = [
    "AttributeFlow",
    "Contender",
    "Direction",
    "Donor",
    "Drag",
    "Edit",
    "Evaluator",
    "Examples",
    "FaceScorer",
    "FlowEdit",
    "GANSpace",
    "Handle",
    "InterFaceGAN",
    "LowRank",
    "MapperEdit",
    "Morph",
    "OpenRecord",
    "PartDonor",
    "Person",
    "Reposer",
    "Sampling",
    "SeFa",
    "StyleSpace",
    "TextDirections",
    "TextOptimizer",
    "apply_edits",
    "blend_pictures",
    "calibrated",
    "edited_styles",
    "find_direction",
    "known_directions",
    "linear",
    "load_flow",
    "load_mapper",
    "mix",
    "mix_parts",
    "parts_of",
    "read_iuv",
    "region_masks",
    "slerp",
    "spline",
    "sweep",
]
