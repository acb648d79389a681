"""A flow of attributes from scored samples (StyleFlow: Abdal et al. 2021); see ``editing.nonlinear``."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stylegan_latents.editing.directions.calibration import w_statistics
from stylegan_latents.editing.directions.direction import JSON
from stylegan_latents.editing.discovery.finders.base import NamedOptions, Plan
from stylegan_latents.editing.discovery.finders.by_scores import ByScores
from stylegan_latents.generator.cli.progress import Begin, Progress
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stylegan_latents.editing.discovery.fitting.samples import Samples
    from stylegan_latents.editing.discovery.scorers.scorer import Attribute
    from stylegan_latents.editing.nonlinear.attribute_flow import AttributeFlow
    from stylegan_latents.generator.generator import Generator

_OUTERMOST = 0.005  # share of the samples beyond each end of an attribute's range


class Flow:
    """Trains a flow on samples whose rows are equal.

    Args:
        G: the generator.
        samples: such as from ``sample`` without ``mixed``; those that mix styles are left out.
        attributes: that the flow is conditioned on, with the layers that each moves. Scores that they name as
            fixed, and that are no attributes themselves, are conditions, too, and move all layers.
        name: of the flow.
        scorer: what scored the samples, as ``--scorer`` takes it.
        seed: of the training.

    Raises:
        InputError: too few samples have scores, or a score is the same for all of them.
    """

    def __init__(
        self,
        G: "Generator",
        samples: "Samples",
        attributes: "Sequence[Attribute]",
        *,
        name: str = "flow",
        scorer: str = "",
        seed: int = 0,
    ) -> None:
        self.G, self.name, self.scorer, self.seed = G, name, scorer, seed
        self.layers = {attribute.name: attribute.layers for attribute in attributes}
        fixed = [held for attribute in attributes for held in attribute.fixed]
        self.layers |= {held: "all" for held in fixed if held not in self.layers and held in samples.names}
        chosen, plain = samples.select(tuple(self.layers)), samples.plain
        self.samples = replace(
            chosen, codes=chosen.codes[plain], scores=chosen.scores[plain], plain=plain[plain]
        ).valid()
        for one, deviation in zip(self.samples.names, self.samples.deviations(), strict=True):
            if deviation < 1e-12:
                raise InputError(f"The score '{one}' is the same for every sample, so nothing can change it.")

    def find(self, count: int = 1, on_progress: Progress | None = None) -> "list[AttributeFlow]":  # noqa: ARG002 - one
        """The one flow; its provenance holds how likely held-out samples are to it.

        Raises:
            InputError: the training diverged.
        """
        import numpy as np
        import torch

        from stylegan_latents.editing.nonlinear.attribute_flow import AttributeFlow, FlowAttribute
        from stylegan_latents.editing.nonlinear.train_flow import train

        device = self.G.device
        scores = self.samples.scores
        low, high = np.quantile(scores, (_OUTERMOST, 1 - _OUTERMOST), axis=0)
        mean, deviation, usual = scores.mean(0), scores.std(0), np.median(scores, axis=0)
        conditions = (np.clip(scores, low, high) - mean) / deviation
        attributes = tuple(
            FlowAttribute(
                one, float(low[i]), float(high[i]), float(mean[i]), float(deviation[i]), float(usual[i]),
                self.layers[one], score=one,
            )
            for i, one in enumerate(self.samples.names)
        )  # fmt: skip
        whitening = w_statistics(self.G)
        trained = train(
            whitening.whiten(torch.from_numpy(self.samples.codes[:, 0]).float().to(device)),
            torch.from_numpy(conditions).float().to(device),
            seed=self.seed,
            progress=on_progress,
        )
        provenance: dict[str, JSON] = {
            "finder": "StyleFlow",
            "generator": self.G.name,
            "generator_fingerprint": self.G.fingerprint,
            "samples": len(scores),
            "epochs": trained.epochs,
            "held_out_loss": round(trained.loss, 5),
            "held_out_loss_linear": round(trained.loss_linear, 5),
        }
        return [
            AttributeFlow(
                self.name, trained.network, attributes, self.G.latent_space, self.scorer, whitening, provenance
            )
        ]


@dataclass(frozen=True, kw_only=True)
class FlowOptions(ByScores, NamedOptions):
    """Options of ``Flow``."""

    method = "flow"

    def plan(self, begin: Begin) -> Plan:
        from stylegan_latents.editing.discovery.scorers.table import ScoreTable

        scorer = self.open_scorer(begin)
        if isinstance(scorer, ScoreTable):
            raise InputError(
                f"{self.scorer} is a table; --method flow needs a scorer of pictures, which measures those to edit."
            )
        attributes, name = self.attributes(scorer), self.name or "flow"
        names = [*(attribute.name for attribute in attributes), *self.hold]

        def make(G: "Generator") -> Flow:
            G.rows(self.layers or "all")  # before the samples are scored
            samples = self.scored(G, self.scorer_for(G, scorer, names), begin, mixed=False)
            return Flow(G, samples, attributes, name=name, scorer=self.scorer or "", seed=self.seed)

        return Plan((name,), make, "training the flow", scorer.notes)
