"""Finds the face directions that are shipped: ``stylegan-latents discover --out FOLDER``."""

import argparse
import sys
from pathlib import Path

from stylegan_latents.editing.discovery.fitting.attributes import FACE_ATTRIBUTES
from stylegan_latents.generator.cli.command import status_of
from stylegan_latents.generator.cli.progress import show_work
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable
from stylegan_latents.generator.ops.memory import share_freed_memory

_WHAT = "Finds the face directions that are shipped, and writes each to a file; about an hour."


def main(arguments: list[str] | None = None) -> int:
    """Sample, score, find, test, write, and print the table. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="stylegan-latents discover", description=_WHAT)
    parser.add_argument("--out", type=Path, required=True, help="folder for one file per direction")
    parser.add_argument("--model", default="ffhq", help="a model's name or file (default: ffhq)")
    parser.add_argument("--samples", type=int, default=8000, help="pictures to score (default: 8000)")
    parser.add_argument("--seed", type=int, default=0, help="of the samples (default: 0)")
    parser.add_argument(
        "--truncation", type=float, default=0.8, help="of the samples: 1 as drawn, 0 the mean face (default: 0.8)"
    )
    parser.add_argument(
        "--method", choices=("ridge", "svm", "logistic"), default="ridge", help="of the fit (default: ridge)"
    )
    parser.add_argument("--codes", type=int, default=32, help="held-out codes to test on (default: 32)")
    for option, default, what in (
        ("--steady", ["pose"], "leave the others alone on every face"),
        ("--keep-person", ["pitch", "smile", "mouth-open", "eyes-open"], "leave the others and the person alone"),
        ("--spare-person", ["age", "gender"], "spare who is seen, as far as the samples tell"),
    ):
        names = [attribute.name for attribute in FACE_ATTRIBUTES]
        told = f"directions that {what} (default: {' '.join(default) or 'none'})"
        parser.add_argument(option, nargs="*", default=default, choices=names, help=told)
    parser.add_argument("--overwrite", action="store_true", help="replace files that exist")
    chosen = parser.parse_args(arguments)
    share_freed_memory()  # before there are threads, each of which would get memory of its own
    return status_of(lambda: _find(chosen))


def _find(chosen: argparse.Namespace) -> None:
    import torch

    from stylegan_latents import generator
    from stylegan_latents.editing.directions.catalogue import shipped_path
    from stylegan_latents.editing.discovery.finders.interfacegan import InterFaceGAN
    from stylegan_latents.editing.discovery.fitting.leakage import table
    from stylegan_latents.editing.discovery.fitting.samples import sample
    from stylegan_latents.editing.discovery.scorers.faces import FaceScorer
    from stylegan_latents.editing.discovery.scorers.likeness import LikenessScorer
    from stylegan_latents.editing.discovery.scorers.scorer import Scorers
    from stylegan_latents.generator.files import check_writable
    from stylegan_latents.generator.weights.fetch import cache_folder

    if chosen.codes < 2:
        raise InputError(f"Testing needs at least 2 codes, not {chosen.codes}.")
    G = generator.load(chosen.model).to(dtype=torch.bfloat16)
    paths = [shipped_path(G.latent_space, attribute.name, chosen.out) for attribute in FACE_ATTRIBUTES]
    check_writable(chosen.out)  # an hour's work comes before the first file
    for path in paths:
        if path.exists() and not chosen.overwrite:
            raise InputError(
                f"{path} exists already; add --overwrite to replace it, or name another folder with --out."
            )
    scorer = FaceScorer()
    likeness = LikenessScorer() if chosen.keep_person or chosen.spare_person else None
    with show_work() as begin:
        samples = sample(
            G,
            Scorers((scorer, likeness)) if likeness is not None and chosen.spare_person else scorer,
            chosen.samples,
            seed=chosen.seed,
            truncation=chosen.truncation,
            exact=True,
            cache=cache_folder() / "discovery",
            progress=begin("scoring samples"),
        )
        finder = InterFaceGAN(
            G,
            scorer,
            samples,
            method=chosen.method,
            codes=chosen.codes,
            exact=True,
            steady=chosen.steady,
            keep_person=chosen.keep_person,
            spare_person=chosen.spare_person,
            likeness=likeness,
            report=lambda line: print(line, file=sys.stderr),
        )
        found = finder.find()
    for one, path in zip(found, paths, strict=True):
        one.direction.save(path, overwrite=chosen.overwrite)
    print(table([one.effect for one in found]))
    print(f"\nWrote {len(found)} directions to {printable(chosen.out)}.")


if __name__ == "__main__":
    sys.exit(main())
