import pytest
import torch

from stylegan_latents.editing.drag.drag import Drag, DragProgress, dragged_record
from stylegan_latents.editing.drag.handles import Handle
from stylegan_latents.editing.drag.point_tracker import features_at
from stylegan_latents.editing.drag.search import PATIENCE, Search
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
from tests.editing.drag.bumps import HOME, SIDE, BumpDetector, pixel, planted, where
from tests.generator.networks.eg3d_files import random_eg3d
from tests.generator.networks.stylegan_t_files import TEXTS, random_stylegan_t
from tests.generator.networks.stylenerf_files import random_stylenerf
from tests.generator.stylegan2_files import random_stylegan2
from tests.generator.stylegan3_files import random_stylegan3
from tests.odd_models import odd_generator
from tests.small_models import small_record


@pytest.mark.slow
def test_the_point_goes_where_it_is_asked_to() -> None:
    G = planted()
    ws = torch.zeros(1, 2, 4)
    start = pixel(HOME[0])
    handle = Handle(start, (start[0] + 24, start[1] - 18))
    seen: list[DragProgress] = []
    ended = Drag(G, steps=200, learning_rate=0.03).drag(ws, [handle], on_step=seen.append)
    assert ended.reached
    assert ended.steps == len(seen) < 200
    assert ended.distance == seen[-1].distance <= 2
    truth = where(G, ended.ws)[0]
    assert (truth - torch.tensor(handle.target)).norm() < 4  # one sample of the features
    assert (truth - torch.tensor(ended.points[0])).norm() < 4  # it was followed
    assert torch.equal(ended.ws[:, 1], ws[:, 1])  # the fine row stays
    again = Drag(G, steps=200, learning_rate=0.03).drag(ws, [handle])
    assert torch.equal(again.ws, ended.ws)


@pytest.mark.slow
@pytest.mark.parametrize("weight", [10.0, 1000.0])
def test_a_mask_holds_what_is_outside_and_the_point_arrives_about_as_soon(weight: float) -> None:
    G = planted()
    start = pixel(HOME[0])
    handle = Handle(start, (start[0] - 25, start[1]))
    mask = torch.zeros(SIDE, SIDE)
    mask[:, : SIDE // 2] = 1
    moved, steps = {}, {}
    for name, allowed in (("free", None), ("held", mask)):
        search = Drag(G, steps=300, learning_rate=0.03, mask_weight=weight)
        ended = search.drag(torch.zeros(1, 2, 4), [handle], mask=allowed)
        assert ended.reached
        moved[name] = float((where(G, ended.ws)[1] - torch.tensor(pixel(HOME[1]))).norm())
        steps[name] = ended.steps
    assert moved["free"] > 8
    assert moved["held"] < moved["free"] / 3
    assert steps["held"] < 2 * steps["free"]


@pytest.mark.slow
def test_several_points_go_at_once_and_one_stays() -> None:
    G = planted()
    first, second = pixel(HOME[0]), pixel(HOME[1])
    handles = [Handle(first, (first[0], first[1] + 20)), Handle(second, (second[0] + 20, second[1]))]
    ended = Drag(G, steps=300, learning_rate=0.03).drag(torch.zeros(1, 2, 4), handles)
    assert ended.reached
    targets = torch.tensor([handle.target for handle in handles])
    assert (where(G, ended.ws) - targets).norm(dim=1).max() < 5


@pytest.mark.slow
def test_a_search_that_comes_no_nearer_ends_and_says_so() -> None:
    start = pixel(HOME[0])
    handle = Handle(start, (start[0] + 24, start[1]))
    ended = Drag(planted(), rows=[1]).drag(torch.zeros(1, 2, 4), [handle])  # which moves nothing
    assert (ended.steps, ended.stalled, ended.reached) == (PATIENCE, True, False)
    assert "nearest" not in ended.summary  # of equals, the last is kept
    assert ended.summary.startswith("Up to 24 pixels short of the targets after 40 steps, the last 40 of which")
    short = Drag(planted(), steps=3).drag(torch.zeros(1, 2, 4), [handle])
    assert not short.stalled
    assert "after 3 steps, and more steps may bring the points nearer;" in short.summary


def test_what_the_features_take_for_arrived_is_not_reached_when_the_landmarks_are_elsewhere() -> None:
    start = pixel(HOME[0])
    handle = Handle(start, (start[0] + 24, start[1]))
    search = Drag(planted(), steps=40, learning_rate=0.03, detector=BumpDetector(still=True))
    ended = search.drag(torch.zeros(1, 2, 4), [handle])
    assert not ended.reached
    assert ended.by_landmarks == (True,)
    assert ended.points[0] == pytest.approx(start, abs=0.01)
    assert ended.distance == pytest.approx(24)
    assert ended.summary.startswith("Up to 24 pixels short of the targets")
    assert "by the landmarks" in ended.summary
    assert search.provenance([handle], ended)["by_landmarks"] == [True]


def test_landmarks_that_move_along_say_that_the_point_is_there() -> None:
    G, start = planted(), pixel(HOME[0])
    handle = Handle(start, (start[0] + 24, start[1]))
    search = Drag(G, steps=100, learning_rate=0.03, detector=BumpDetector())
    ended = search.drag(torch.zeros(1, 2, 4), [handle])
    assert ended.reached
    assert (where(G, ended.ws)[0] - torch.tensor(handle.target)).norm() < 2


def test_a_face_that_is_found_no_more_is_said_to_be_lost() -> None:
    start = pixel(HOME[0])
    handle = Handle(start, (start[0] + 24, start[1]))
    search = Drag(planted(), steps=12, learning_rate=0.03, detector=BumpDetector(finds=1))
    ended = search.drag(torch.zeros(1, 2, 4), [handle])
    assert not ended.reached
    assert ended.lost == (True,)
    assert "The search lost track of" in ended.summary


def test_the_nearest_is_kept_not_the_last() -> None:
    start = pixel(HOME[0])
    handle = Handle(start, (start[0] + 24, start[1] - 18))
    seen: list[DragProgress] = []
    search = Drag(planted(), steps=8, learning_rate=0.15)  # which goes too far
    ended = search.drag(torch.zeros(1, 2, 4), [handle], on_step=seen.append)
    nearest = min(seen, key=lambda now: now.distance)
    assert nearest.distance < seen[-1].distance
    assert (ended.steps, ended.kept) == (8, nearest.step)
    assert torch.equal(ended.ws, nearest.ws)
    assert (ended.points, ended.distance) == (nearest.points, nearest.distance)
    assert f"; nearest, and kept, is step {nearest.step};" in ended.summary
    assert search.provenance([handle], ended)["kept_step"] == nearest.step


SG2 = StyleGAN2Config(z_dim=8, mapping_widths=(8,), channels=(8, 8, 8, 8))
NETWORKS = {
    "mobile": odd_generator,
    "stylegan2": lambda: random_stylegan2(SG2),
    "stylegan3": random_stylegan3,
    "stylegan-t": lambda: random_stylegan_t(TEXTS, texts=1),
    "eg3d": random_eg3d,
    "stylenerf": random_stylenerf,
}


@pytest.mark.parametrize("name", NETWORKS)
def test_in_every_network_what_is_at_the_point_is_pulled_a_step(name: str) -> None:
    """Random weights know no objects that could go far; but what was at the point comes near its next place."""
    G = NETWORKS[name]()
    ws = G.sample([0])
    before = ws.clone()
    place = torch.tensor([[[0.5, 0.5], [0.7, 0.5]]])
    followed = Drag(G).map
    search = Search(
        G, followed, ws, place,
        rows=range(G.num_ws), learning_rate=1e-4, mask=None, mask_weight=0.0, noise="const", seed=0,
    )  # fmt: skip
    here = place[0, 0] + search.patch
    there = here + torch.tensor([0.5 / followed.resolution, 0.0])
    wanted = features_at(followed, search.first, here)
    unlike = [float((features_at(followed, search.first, there) - wanted).abs().mean())]
    search.step()
    unlike.append(float((features_at(followed, search.features.detach(), there) - wanted).abs().mean()))
    assert unlike[1] < unlike[0]
    assert torch.equal(ws, before)
    assert bool(torch.isfinite(G.synthesize(search.code())).all())


@pytest.mark.slow
def test_stylegan3_turns_its_input_so_that_the_image_is_moved() -> None:
    """The first row places the whole image: dragging by it moves the image, as comparing the images shows."""
    G = random_stylegan3()
    ws = G.sample([3])
    handle = Handle((12.0, 16.0), (16.0, 16.0))
    ended = Drag(G, steps=60, learning_rate=0.04, rows=[0]).drag(ws, [handle])
    # A random network's features are all alike, so how near it ends differs between processors.
    assert ended.points[0][0] > 14.0
    before, after = G.synthesize(ws)[0], G.synthesize(ended.ws)[0]
    x, y = (round(value) for value in ended.points[0])
    patch = after[:, y - 2 : y + 3, x - 2 : x + 3]
    here, same = before[:, 14:19, 10:15], before[:, y - 2 : y + 3, x - 2 : x + 3]
    assert (patch - here).square().mean() < (patch - same).square().mean()


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_there_even_if_it_was_nearer_before() -> None:
    G = planted()
    start = pixel(HOME[0])
    handle = Handle(start, (start[0] + 60, start[1]))

    def stop(progress: DragProgress) -> None:
        if progress.step == 5:
            raise KeyboardInterrupt

    ended = Drag(G).drag(torch.zeros(1, 2, 4), [handle], on_step=stop, keep_partial=True)
    assert ended.stopped
    assert ended.steps == ended.kept == 5
    assert not ended.reached
    assert ended.ws.any()

    def late(progress: DragProgress) -> None:
        if progress.step == 8:
            raise KeyboardInterrupt

    over = Handle(start, (start[0] + 24, start[1] - 18))
    ended = Drag(G, learning_rate=0.1).drag(torch.zeros(1, 2, 4), [over], on_step=late, keep_partial=True)
    assert ended.steps == ended.kept == 8
    with pytest.raises(KeyboardInterrupt):
        Drag(G).drag(torch.zeros(1, 2, 4), [handle], on_step=stop)


def test_the_record_goes_on() -> None:
    G = odd_generator()
    record = small_record(G)
    handle = Handle((30.0, 30.0), (34.0, 30.0))
    search = Drag(G, steps=3)
    ended = search.drag(record.ws, [handle])
    made = dragged_record(record, search, [handle], ended)
    assert torch.equal(made.ws, ended.ws)
    assert (made.method, made.metrics, made.model) == ("drag", {}, record.model)
    assert made.settings["dragged_from"] == "optimize"
    assert made.settings["handles"] == [[30.0, 30.0, 34.0, 30.0]]
    assert made.for_generator(G).shape == record.ws.shape


def test_wrong_settings_and_points_are_refused() -> None:
    G = odd_generator()
    ws = G.sample([0])
    inside = Handle((1.0, 1.0), (5.0, 5.0))
    for options, said in (
        ({"steps": 0}, "at least 1 step"),
        ({"learning_rate": 0.0}, "above 0"),
        ({"mask_weight": -1.0}, "0 or above"),
        ({"resolution": 7}, r"no features of 7 pixels a side; it has 8, 16, 32\."),
    ):
        with pytest.raises(InputError, match=said):
            Drag(G, **options)  # type: ignore[arg-type]
    for handles, said in (
        ([], "from 1 to 64 points"),
        ([Handle((1.0, 1.0), (1.0, 1.0))], "No point is to move"),
        ([inside, Handle((1.0, 1.0), (64.0, 1.0))], r"64,1 is outside of the picture; x and y go from 0 to 63\."),
    ):
        with pytest.raises(InputError, match=said):
            Drag(G, steps=1).drag(ws, handles)
    with pytest.raises(ValueError, match="ws needs the shape"):
        Drag(G, steps=1).drag(ws[0], [inside])
    with pytest.raises(ValueError, match="mask needs the shape"):
        Drag(G, steps=1).drag(ws, [inside], mask=torch.ones(1, 8, 8))
