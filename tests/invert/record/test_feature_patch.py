"""A feature patch counts where features stay, fades where they move, and fits its own generator only."""

import copy
import dataclasses

import pytest
import torch

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.features import features
from stylegan_latents.generator.generator import Generator
from stylegan_latents.invert.record.feature_patch import (
    FeaturePatch,
    PatchHook,
    packed,
    patched_map,
    unmoved,
    unpacked,
    with_patches,
)
from stylegan_latents.invert.record.tuned_weights import differences, patch_hooks, tunable, tuned_generator
from tests.odd_models import odd_config, odd_generator
from tests.small_models import small_record


def _hook(G: Generator, seed: int = 1) -> PatchHook:
    """A patch in the upper left quarter of the picture of a seed."""
    own = features(G, G.sample([seed]), patched_map(G))
    share = torch.zeros(1, 1, *own.shape[2:])
    share[..., : own.shape[2] // 2, : own.shape[3] // 2] = 1
    difference = 2 * own.std() * torch.randn(own.shape, generator=torch.Generator().manual_seed(0))
    return PatchHook(patched_map(G).resolution, own, share, difference)


def test_the_pictures_of_its_code_change_in_its_places_alone() -> None:
    G = odd_generator()
    ws = G.sample([1])
    moved = (with_patches(G, [_hook(G)]).synthesize(ws) - G.synthesize(ws)).abs().amax(dim=(0, 1))
    assert moved[:24, :24].min() > 0
    assert moved[48:, 48:].max() < 1e-3 * moved.max()
    assert with_patches(G, []) is G


def test_it_fades_as_a_code_moves_away() -> None:
    G = odd_generator()
    patched = with_patches(G, [_hook(G)])
    near, far = G.sample([1]), -3 * G.sample([1])
    changes = [
        float((patched.synthesize(ws) - G.synthesize(ws)).square().mean())
        for ws in (near, near.lerp(far, 0.01), far)
    ]
    assert changes[1] > 0.5 * changes[0]
    assert changes[2] < 0.2 * changes[0]


def test_another_contrast_of_all_features_is_no_movement() -> None:
    maps = torch.randn(2, 6, 16, 16, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(unmoved(3 * maps + 1, maps), torch.ones(2, 1, 16, 16), atol=1e-4)
    assert unmoved(maps.roll(8, 3), maps).max() < 0.1
    half = torch.cat([maps[..., :8], maps.flip(2)[..., 8:]], dim=3)
    still = unmoved(half, maps)
    assert still[..., :4].min() > 0.5
    assert still[..., 12:].max() < 0.1


def test_a_record_keeps_few_places_and_draws_the_same() -> None:
    G = odd_generator()
    ws = G.sample([1, 2])
    hooks = [_hook(G, 1), _hook(G, 2)]
    hooks[1].share[..., 1:, :] = 0
    kept = packed([FeaturePatch.of(ws[i : i + 1], hook) for i, hook in enumerate(hooks)])
    assert sum(part.numel() for name, part in kept.items() if "values" in name) <= hooks[0].own.numel() / 2
    record = small_record(G, 2, ws=ws, weights=kept)
    for i, hook in enumerate(hooks):
        drawn = tuned_generator(G, record, i).synthesize(ws[i : i + 1])
        assert torch.allclose(drawn, with_patches(G, [hook]).synthesize(ws[i : i + 1]), atol=0.02)
        assert torch.equal(drawn, tuned_generator(G, record.split()[i]).synthesize(ws[i : i + 1]))


def test_tuned_weights_and_patches_are_told_apart() -> None:
    G = odd_generator()
    name, weight = next(iter(tunable(G).items()))
    kept = packed([FeaturePatch.of(G.sample([1]), _hook(G))])
    record = small_record(G, ws=G.sample([1]), weights=kept | {name: torch.full((1, *weight.shape), 0.1)})
    assert set(differences(G, record) or {}) == {name}
    (hook,) = patch_hooks(G, record)
    tuned = tuned_generator(G, small_record(G, weights={name: torch.full((1, *weight.shape), 0.1)}))
    assert torch.allclose(hook.own, features(tuned, G.sample([1]), patched_map(tuned)))
    assert patch_hooks(G, small_record(G)) == []


def test_a_copy_in_another_precision_keeps_the_patch() -> None:
    G = odd_generator()
    patched = with_patches(G, [_hook(G)])
    lower = copy.deepcopy(patched).to(dtype=torch.bfloat16)
    ws = G.sample([1])
    assert (lower.synthesize(ws) - patched.synthesize(ws)).abs().mean() < 0.05
    assert (lower.synthesize(ws) - G.synthesize(ws)).abs().mean() > 0.05


@pytest.mark.parametrize(
    "harm",
    [{"ws": None}, {"share": torch.ones(1, 9)}, {"values": torch.ones(1, 3)}, {"values": torch.ones(400, 3)}],
)
def test_a_damaged_patch_is_refused(harm: dict[str, torch.Tensor | None]) -> None:
    G = odd_generator()
    parts = {name: part[0] for name, part in packed([FeaturePatch.of(G.sample([1]), _hook(G))]).items()}
    parts |= {f"features.8:{name}": part for name, part in harm.items() if part is not None}
    parts = {name: part for name, part in parts.items() if harm.get(name.partition(":")[2], part) is not None}
    with pytest.raises(InputError, match="patch"):
        [patch.hook(G) for patch in unpacked(parts)[1]]


def test_a_patch_of_another_generator_is_refused() -> None:
    G, other = odd_generator(), odd_generator(odd_config(channels=(12, 6, 20, 16)))
    patch = FeaturePatch.of(G.sample([1]), _hook(G))
    for wrong in (patch, dataclasses.replace(patch, resolution=5)):
        with pytest.raises(InputError, match="does not fit"):
            wrong.hook(other)
