"""The public classes, and which rehearsal makes each."""

import inspect
from importlib import import_module

from stylegan_latents.editing.discovery.by_name import FINDERS
from stylegan_latents.editing.discovery.scorers.by_name import SCORERS
from stylegan_latents.generator.formats.native import ARCHITECTURES
from stylegan_latents.generator.networks import eg3d, mobile, stylegan1, stylegan2, stylegan3, stylegan_t, stylenerf
from stylegan_latents.generator.networks.stylegan2_discriminator import Discriminator
from stylegan_latents.invert.inverters.by_name import INVERTERS

__all__ = ["eg3d", "mobile", "stylegan1", "stylegan2", "stylegan3", "stylegan_t", "stylenerf"]

_NETWORK, _INVERTER = (
    "test_every_network_draws_and_learns_as_on_the_processor",
    "test_every_inverter_finds_two_codes",
)
_COMMAND = "test_every_command_of_edit"
REHEARSED = {
    "generator.Generator": f"{_NETWORK}*",
    "camera.Camera": f"{_NETWORK}*-eg3d-*",
    "eg3d.Synthesis": f"{_NETWORK}*-eg3d-*",
    "mobile.Synthesis": f"{_NETWORK}*-mobile-*",
    "stylegan1.Synthesis": f"{_NETWORK}*-stylegan1-*",
    "stylegan2.Synthesis": f"{_NETWORK}*-stylegan2-*",
    "stylegan3.Synthesis": f"{_NETWORK}*-stylegan3-t-*",
    "stylegan_t.Synthesis": f"{_NETWORK}*-stylegan-t-*",
    "stylenerf.Synthesis": f"{_NETWORK}*-stylenerf-*",
    "stylegan2_discriminator.Discriminator": "test_every_discriminator_scores*",
    "encoder.Encoder": "test_every_encoder_encodes_and_learns*",
    "config.EncoderConfig": "test_every_encoder_encodes_and_learns*",
    "restyle.ReStyle": "test_every_encoder_encodes_and_learns*psp-True*",
    "encode.EncoderInverter": f"{_INVERTER}*encode*",
    "hybrid.HybridInverter": f"{_INVERTER}*hybrid*",
    "optimize.OptimizationInverter": f"{_INVERTER}*optimize*",
    "pivotal.PivotalTuning": f"{_INVERTER}*pivotal*",
    "tuning.TuningSettings": f"{_INVERTER}*pivotal*",
    "person.PersonInverter": f"{_INVERTER}*person*",
    "layered.LayeredInversion": f"{_INVERTER}*layered*",
    "noise.NoiseOptimization": f"{_INVERTER}*noise*",
    "noise.NoiseSettings": f"{_INVERTER}*noise*",
    "base.SearchSettings": f"{_INVERTER}*optimize*",
    "base.Progress": "test_photos_in_a_batch*",
    "options.InverterOptions": f"{_INVERTER}*optimize*",
    "inversion.Inversion": f"{_INVERTER}*",
    "invert_face.Portrait": "test_photos_in_a_batch*",
    "crop.Alignment": "test_photos_in_a_batch*",
    "direction.Direction": f"{_COMMAND}*sefa*",
    "sampling.Sampling": f"{_COMMAND}*sample*",
    "opened.OpenRecord": f"{_COMMAND}*grid*",
    "mixing.Donor": f"{_COMMAND}*-mix]",
    "morph.Morph": f"{_COMMAND}*interpolate*",
    "drag.Drag": f"{_COMMAND}*drag*",
    "handles.Handle": f"{_COMMAND}*drag*",
    "evaluator.Evaluator": f"{_COMMAND}*evaluate*",
    "evaluator.Contender": f"{_COMMAND}*evaluate*",
    "colour.ColourScorer": f"{_COMMAND}*evaluate*",
    "sefa.SeFa": f"{_COMMAND}*sefa*",
    "sefa.SeFaOptions": f"{_COMMAND}*sefa*",
    "ganspace.GANSpace": f"{_COMMAND}*ganspace*",
    "ganspace.GANSpaceOptions": f"{_COMMAND}*ganspace*",
    "stylespace.StyleSpace": f"{_COMMAND}*stylespace*",
    "stylespace.StyleSpaceOptions": f"{_COMMAND}*stylespace*",
    "examples.Examples": f"{_COMMAND}*examples*",
    "examples.MeanDifferenceOptions": f"{_COMMAND}*examples*",
    "low_rank.LowRank": f"{_COMMAND}*lowrank*",
    "low_rank.LowRankOptions": f"{_COMMAND}*lowrank*",
    "interfacegan.InterFaceGAN": f"{_COMMAND}*interfacegan*",
    "interfacegan_options.InterFaceGANOptions": f"{_COMMAND}*interfacegan*",
    "way_back.WayBackOptions": f"{_COMMAND}*wayback*",
    "flow.FlowOptions": f"{_COMMAND}*-flow]",
    "attribute_flow.AttributeFlow": f"{_COMMAND}*-by flow]",
    "attribute_flow.FlowEdit": f"{_COMMAND}*-by flow]",
    "mapper.MapperEdit": f"{_COMMAND}*mapper*",
    "text.TextDirections": "test_texts*",
    "optimizer.TextOptimizer": "test_texts*",
    "repose.Person": "test_a_person_is_reposed*",
    "repose.Reposer": "test_a_person_is_reposed*",
    "by_part.PartDonor": "test_a_part_of_another*",
    "faces.FaceScorer": "test_the_scorer_of_faces*",
    "classifier.ClassifierScorer": "test_scorers_from_files*",
    "labelled.LabelledScorer": "test_scorers_from_files*",
    "table.ScoreTable": "test_a_table_of_scores*",
}
"""Each public class, and the rehearsal that makes one, as a pattern of its name."""

NOT_REHEARSED = {
    "text.TextOptions": "fetches a model of several hundred MB; its finder is rehearsed with a small one",
    "errors.InputError": "an error",
    "base.Inverter": "abstract",
}


def _name(kind: type) -> str:
    return f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}"


def _named(where: str) -> type:
    module, _, name = where.partition(":")
    found: type = getattr(import_module(module), name)
    return found


def public_classes() -> dict[str, type]:
    """What the packages export, and what is in their registries."""
    packages = [
        import_module(f"stylegan_latents.{name}") for name in ("generator", "encoders", "invert", "editing")
    ]
    found = [getattr(package, name) for package in packages for name in package.__all__]
    found += [entry.load() for entry in INVERTERS.values()]
    found += [_named(entry.where) for entry in SCORERS.values()]
    found += [entry.options for entry in FINDERS.values()]
    found += [*(one.synthesis for one in ARCHITECTURES.values()), Discriminator]
    own = [one for one in found if inspect.isclass(one) and one.__module__.startswith("stylegan_latents.")]
    return {_name(kind): kind for kind in own}
