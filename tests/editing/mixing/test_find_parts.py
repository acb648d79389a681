from collections.abc import Callable

import numpy as np
import pytest
import torch

from stylegan_latents.editing.mixing.find_parts import cluster, evened, face_landmarks, find_parts, name_clusters
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.features import effects_in_places
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
from tests.generator.stylegan2_files import random_stylegan2
from tests.invert.faces.plain_face import plain_face
from tests.odd_models import odd_generator

G = odd_generator()
SG2 = StyleGAN2Config(z_dim=4, mapping_widths=(6,), channels=(8, 8, 6, 4))


def _quietly(_what: str) -> Callable[[int, int], None]:
    return lambda _done, _all: None


def test_planted_clusters_are_found() -> None:
    source = torch.Generator().manual_seed(0)
    centres = torch.nn.functional.normalize(torch.randn(4, 40, generator=source), dim=1)
    planted = torch.randint(4, (3, 8, 8), generator=source)
    noisy = centres[planted] + 0.05 * torch.randn(3, 8, 8, 40, generator=source)
    labels, found = cluster(torch.nn.functional.normalize(noisy, dim=-1), 4)
    assert found.shape == (4, 40)
    assert torch.allclose(found.norm(dim=1), torch.ones(4), atol=1e-5)
    match = (found @ centres.T).argmax(dim=1)
    assert sorted(match.tolist()) == [0, 1, 2, 3]
    assert (match.numpy()[labels] == planted.numpy()).all()
    again = cluster(torch.nn.functional.normalize(noisy, dim=-1), 4)[0]
    assert (again == labels).all()


@pytest.mark.parametrize("make", [odd_generator, lambda: random_stylegan2(SG2)])
def test_every_channels_change_is_shared_out_among_the_parts(make: Callable[[], Generator]) -> None:
    network = make()
    parts = find_parts(network, begin=_quietly, clusters=4, samples=4, codes=2)
    assert parts.names == ("0", "1", "2", "3")
    assert parts.fingerprint == network.fingerprint
    channels = sum(layer.channels for layer in network.layers)
    assert parts.shares.shape == (4, channels)
    total = parts.shares.sum(dim=0)
    assert float(total.max()) <= 1 + 1e-4
    colours = torch.cat([torch.full((layer.channels,), "rgb" in layer.name) for layer in network.layers])
    assert not total[colours].any()
    assert float(total[~colours].median()) > 0.8
    assert parts.masks(network, network.sample([7])).shape[1] == 4


def test_shares_are_of_what_is_usual_in_each_part() -> None:
    shares = torch.tensor([[0.8, 0.9, 0.4, 0.0], [0.2, 0.1, 0.2, 0.0]])
    found = evened(shares)
    assert torch.allclose(found.sum(dim=0), shares.sum(dim=0), atol=1e-6)
    # The second part has a quarter of the first one's change as a rule, so that equal lifts are equal shares.
    usual = shares.mean(dim=1)
    assert torch.allclose(found[0, 2] / found[1, 2], (0.4 / usual[0]) / (0.2 / usual[1]))
    assert found[1, 2] > found[0, 2]


@pytest.mark.slow
def test_effects_are_those_of_real_changes() -> None:
    ws = G.sample([2])
    places = torch.zeros(1, 2, 64, 64)
    places[:, 0, :24], places[:, 1, 24:] = 1, 1
    found = effects_in_places(G, ws, places, probes=64, size=64)
    styles, start = G.styles(ws), 0
    first = G.synthesize_styles(styles)
    exact = []
    positions = []
    for index, layer in enumerate(G.layers):
        moved = [one.clone() for one in styles]
        moved[index][:, 0] += 1e-2
        change = ((G.synthesize_styles(moved) - first) / 1e-2).square()
        exact.append([float((change * places[:, k, None]).sum()) for k in range(2)])
        positions.append(start)
        start += layer.channels
    ratio = found[:, positions].T / torch.tensor(exact)
    assert 0.7 < float(ratio.median()) < 1.4


def test_clusters_are_named_by_where_they_lie_on_faces() -> None:
    points = plain_face()
    side = 32
    labels = np.full((2, side, side), 5)
    labels[:, :, :3] = 0  # beside the head
    labels[:, 3:8, 10:22] = 1  # its top
    labels[:, 13:16, 9:15], labels[:, 13:16, 17:23] = 2, 2  # both eyes
    labels[:, 21:25, 12:20] = 3  # the lips
    labels[:, 16:21, 8:11] = 4  # a cheek
    labels[:, 30:] = 6  # below the chin
    named = name_clusters(labels.astype(np.int64), [points, points], 7)
    assert [named[index] for index in (0, 1, 2, 3, 4, 6)] == ["background", "hair", "eyes", "mouth", "skin", "body"]
    assert name_clusters(labels.astype(np.int64), [None, None], 7) == []
    assert face_landmarks(torch.zeros(2, 1, 64, 64)) == [None, None]
    assert face_landmarks(torch.zeros(1, 3, 64, 64)) == [None]


@pytest.mark.parametrize("options", [{"clusters": 1}, {"samples": 1}, {"codes": 0}, {"probes": 0}])
def test_too_few_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(InputError, match="at least"):
        find_parts(G, begin=_quietly, **options)  # type: ignore[arg-type]
