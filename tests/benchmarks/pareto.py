"""How near each method comes, and how long it takes: the table and the plot of the README.

    python -m tests.benchmarks.pareto ../shared/photos --out pareto/          # every method and quality: hours
    python -m tests.benchmarks.pareto ../shared/photos --out pareto/ --point hybrid-good --point pivotal-best

R is LPIPS (Alex, at 256 pixels) of the plain loop of ``tests.benchmarks.projection`` on the same photo. Its steps
are followed with the fast operations in float32, whose gradients equal the plain ones to 2e-5, and its time is 250
times the median of plain steps measured in this process beside each photo. ``--plain FILE`` takes R from a file
that the projection benchmark wrote with ``--json``; times are measured anew all the same. A run that was ended goes
on where it stopped, with the points that it then has.

Where the folder's README.md has a table of who is seen, the medians are also told by its groups.

Beside each point stand PSNR at full size, the distance from W's mean in its own deviations, and dlib's identity
distance: of the inversion, and after each shipped direction at +2 and -2, the mean and the greatest.
"""

import argparse
import csv
import json
import math
import statistics
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import torch
from PIL import Image
from torch import Tensor

from stylegan_latents import generator
from stylegan_latents.editing.directions.catalogue import known_directions
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.perceptual import area_resize
from stylegan_latents.generator.statistics import WStatistics
from stylegan_latents.invert.faces.align import align_face, require_faces
from stylegan_latents.invert.faces.identity import Identity
from stylegan_latents.invert.inverters.base import identity_loss_of
from stylegan_latents.invert.inverters.by_name import make_inverter
from stylegan_latents.invert.inverters.options import Quality
from stylegan_latents.invert.photos.files import list_photos, read_photo, to_picture, to_tensor
from stylegan_latents.invert.record.metrics import measure
from stylegan_latents.invert.record.tuned_weights import tuned_generator
from stylegan_latents.invert.search.loss import LPIPS
from tests.benchmarks.groups import by_group, read_groups
from tests.benchmarks.projection import TIMED_STEPS, W_PLUS_RATE, W_PLUS_STEPS, W_STEPS, PlainLoop, plain_result

POINTS = (
    "encode-good",
    *(f"{method}-{quality}" for method in ("hybrid", "optimize", "pivotal") for quality in get_args(Quality)),
)


def plain_seconds(G: Generator, lpips: LPIPS, image: Tensor) -> float:
    """What the plain loop would take here and now."""
    loop = PlainLoop(G, lpips, image, plain_operations=True)
    times = []
    for _ in range(TIMED_STEPS):
        start = time.perf_counter()
        loop.run(1, W_PLUS_RATE, G.w_avg.reshape(1, 1, -1).expand(-1, G.num_ws, -1))
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:]) * (W_STEPS + W_PLUS_STEPS)


def edited(G: Generator, ws: Tensor, photo: Image.Image) -> dict[str, float]:
    """Identity distances from the photo: of the inversion, and after every shipped direction at +2 and -2."""
    identity = Identity()
    person = identity(photo)
    assert person is not None

    def distance(codes: Tensor) -> float:
        with torch.inference_mode():
            found = identity(to_picture(G.synthesize(codes, size=G.resolution // 2))[0])
        return 1.0 if found is None else identity.distance(person, found)  # 1: no face is left

    by_name = {
        name: max(distance(direction.bind(G).apply(ws, strength)) for strength in (2, -2))
        for name, direction in known_directions(G.latent_space).items()
    }
    return {
        "identity": distance(ws),
        "edited_mean": statistics.mean(by_name.values()),
        "edited_worst": max(value for name, value in by_name.items() if name != "pose"),
        **{f"edited_{name}": value for name, value in by_name.items()},
    }


def one_point(
    G: Generator,
    lpips: LPIPS,
    statistics_of_w: WStatistics,
    point: str,
    crop: Image.Image,
    edits: bool,
    precision: str,
) -> dict[str, Any]:
    """Invert one photo in one way, and measure; its edits too, where they are asked for."""
    method, quality = point.split("-")
    image = to_tensor(crop)
    inverter = make_inverter(G, method, quality=quality, precision=precision)
    identity_loss = identity_loss_of(inverter, crop)
    start = time.perf_counter()
    found = inverter.invert(image, identity_loss=identity_loss)
    seconds = time.perf_counter() - start
    own = G if found.weights is None else tuned_generator(G, found)
    row = measure(own, found.ws, image, lpips=lpips)
    return {
        "seconds": seconds,
        "lpips": row["lpips_alex"][0],
        "psnr": row["psnr"][0],
        "w_distance": float(statistics_of_w.distance(found.ws)),
        **(edited(own, found.ws, crop) if edits else {}),
    }


def measured(table: Path) -> list[dict[str, Any]]:
    """What an earlier run wrote; nothing where there was none."""
    if not table.is_file():
        return []
    with table.open(newline="") as file:
        return [
            {name: value if name in ("photo", "point") else float(value) for name, value in row.items()}
            for row in csv.DictReader(file)
        ]


def told(row: Mapping[str, float]) -> str:
    """One line of measurements."""
    line = (
        f"{row['seconds']:6.1f} s ({row['sooner']:5.1f}x sooner)  LPIPS {row['lpips']:.4f} ({row['of_r']:.2f} R)  "
        f"PSNR {row['psnr']:.1f}  distance {row['w_distance']:.2f}"
    )
    if math.isnan(row.get("identity", math.nan)):
        return line
    edits = ", ".join(
        f"{name.removeprefix('edited_')} {row[name]:.2f}" for name in row if name.startswith("edited_")
    )
    return f"{line}  identity {row['identity']:.2f}, edited {edits}"


def plot(medians: dict[str, dict[str, float]], plain: tuple[float, float], path: Path) -> None:
    """LPIPS against seconds, both logarithmic."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    colours = {"encode": "#7f7f7f", "hybrid": "#d62728", "optimize": "#1f77b4", "pivotal": "#2ca02c"}
    for method, colour in colours.items():
        points = {name: row for name, row in medians.items() if name.startswith(method)}
        if not points:
            continue
        x, y = [row["seconds"] for row in points.values()], [row["lpips"] for row in points.values()]
        axes.plot(x, y, "o-", color=colour, label=method)
        for name, row in points.items():
            if method != "encode":
                axes.annotate(
                    name.split("-")[1], (row["seconds"], row["lpips"]), (5, 5), textcoords="offset points", size=8
                )
    axes.plot(*plain, "kx", label="plain loop")
    axes.set(xscale="log", yscale="log", xlabel="seconds a photo", ylabel="LPIPS (Alex, 256), median")
    axes.grid(True, which="both", alpha=0.25)
    axes.legend()
    figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, help="folder of photos; of *_neutral ones, if any")
    parser.add_argument("--out", type=Path, required=True, help="folder for pareto.csv and pareto.png")
    parser.add_argument("--only", action="append", help="a photo's name without suffix; repeatable")
    parser.add_argument("--point", action="append", choices=POINTS, help="repeatable; all by default")
    parser.add_argument("--no-edits", action="store_true", help="leave out the identity, and what edits do to it")
    parser.add_argument("--plain", type=Path, help="R from this file of the projection benchmark")
    parser.add_argument("--precision", default="auto", help="as for invert; float32 as without bfloat16")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    paths = sorted(arguments.photos.glob("*_neutral.*")) or list_photos(arguments.photos)
    paths = [path for path in paths if not arguments.only or path.stem in arguments.only]
    if not paths:
        sys.exit(f"no such photos in {arguments.photos}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    kept = json.loads(arguments.plain.read_text()) if arguments.plain else []
    known_r = {row["photo"]: row["plain_lpips"] for row in kept}
    G, lpips = generator.load("ffhq"), LPIPS.load("alex")
    of_w = WStatistics.of(G)
    mean_face = G.synthesize(G.w_avg.expand(1, G.num_ws, -1), size=256)
    table = arguments.out / "pareto.csv"
    rows = measured(table)
    done = {(row["photo"], row["point"]) for row in rows}
    points = arguments.point or POINTS
    for path in paths:
        if all((path.stem, point) in done for point in points):
            continue
        photo = read_photo(path)
        crop, _ = align_face(photo, require_faces(photo, "largest", path.name)[0], G.resolution)
        image = to_tensor(crop)
        slow = plain_seconds(G, lpips, image)
        if path.stem in known_r:
            reference = known_r[path.stem]
        else:
            ws, _ = plain_result(G, lpips, image, True)
            reference = measure(G, ws, image, lpips=lpips)["lpips_alex"][0]
        with torch.no_grad():
            mean_lpips = float(lpips(area_resize(image, 256), mean_face))
        print(f"{path.stem}: plain loop {slow:.0f} s, R {reference:.4f}; mean face {mean_lpips:.4f}", flush=True)
        for point in points:
            if (path.stem, point) in done:
                continue
            found = one_point(G, lpips, of_w, point, crop, not arguments.no_edits, arguments.precision)
            row = {"photo": path.stem, "point": point, "plain_seconds": slow, "plain_lpips": reference, **found}
            row |= {"of_r": found["lpips"] / reference, "sooner": slow / found["seconds"], "mean_face": mean_lpips}
            rows.append(row)
            print(f"  {point:15} {told(row)}", flush=True)
        columns = list(dict.fromkeys(name for row in rows for name in row))
        rows = [{name: row.get(name, math.nan) for name in columns} for row in rows]
        with table.open("w", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows)
    names = [name for name in rows[0] if name not in ("photo", "point")]
    medians = {
        point: {name: statistics.median(row[name] for row in rows if row["point"] == point) for name in names}
        for point in sorted({row["point"] for row in rows}, key=POINTS.index)
    }
    print("\nMedians, and of R the worst photo:")
    for point, row in medians.items():
        of_point = [one for one in rows if one["point"] == point]
        worst = max(of_point, key=lambda one: float(one["of_r"]))
        print(f"  {point:15} {len(of_point):2} photos  {told(row)}; worst {worst['of_r']:.2f} R, {worst['photo']}")
    groups = read_groups(arguments.photos)
    for point in medians if groups else ():
        print(f"\n{point} by groups:")
        of_point = [row for row in rows if row["point"] == point]
        for group, count, row in by_group(of_point, groups, names):
            print(f"  {group:22} {count:2} photos  {told(row)}")
    first = next(iter(medians.values()))
    counts = Counter(row["point"] for row in rows)
    # A median of fewer photos than the others' would not lie beside theirs.
    plotted = {point: row for point, row in medians.items() if counts[point] == max(counts.values())}
    plot(plotted, (first["plain_seconds"], first["plain_lpips"]), arguments.out / "pareto.png")


if __name__ == "__main__":
    main()
