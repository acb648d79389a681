import numpy as np
import pytest
import torch
from scipy import signal

from stylegan_latents.generator.ops.lowpass import lowpass, radial_lowpass


@pytest.mark.parametrize(
    ("taps", "cutoff", "width", "rate"), [(12, 2.0, 12.5, 32.0), (24, 5.1, 9.8, 128.0), (8, 8.0, 1.0, 32.0)]
)
def test_a_lowpass_is_that_of_scipy(taps: int, cutoff: float, width: float, rate: float) -> None:
    wanted = signal.firwin(taps, cutoff, width=width, fs=rate)
    assert lowpass(taps, cutoff, width, rate) == pytest.approx(wanted, rel=1e-6, abs=1e-8)


def test_one_tap_changes_nothing() -> None:
    assert lowpass(1, 2.0, 1.0, 32.0) == (1.0,)


def test_a_radial_lowpass_is_alike_along_its_axes_and_keeps_the_mean() -> None:
    grid = torch.tensor(radial_lowpass(12, 4.0, 8.0, 32.0), dtype=torch.float64)
    torch.testing.assert_close(grid, grid.T)
    torch.testing.assert_close(grid, grid.flip(0))
    assert float(grid.sum()) == pytest.approx(1, abs=1e-6)
    assert np.linalg.matrix_rank(grid.numpy(), tol=1e-4) > 1
    # It falls to one half at the cutoff in every direction, as nearly as twelve taps can.
    at = (torch.arange(12, dtype=torch.float64) - 5.5) / 32
    for angle in (0.0, 0.4, 0.785):
        phase = 2 * np.pi * 4.0 * (np.cos(angle) * at[:, None] + np.sin(angle) * at[None, :])
        assert float((grid * phase.cos()).sum()) == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize(
    "wrong",
    [(0, 2.0, 1.0, 8.0), (12, 4.0, 1.0, 8.0), (12, 2.0, 0.0, 8.0), (12, -1.0, 1.0, 8.0), (12, 2.0, 1e9, 8.0)],
)
def test_impossible_filters_are_refused(wrong: tuple[int, float, float, float]) -> None:
    for design in (lowpass, radial_lowpass):
        with pytest.raises(ValueError, match="low-pass"):
            design(*wrong)
    with pytest.raises(ValueError, match="even"):
        radial_lowpass(11, 2.0, 1.0, 8.0)
