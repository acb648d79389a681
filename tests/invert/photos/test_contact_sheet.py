import numpy as np
import pytest
from PIL import Image

from stylegan_latents.invert.photos.contact_sheet import contact_sheet

RED, BLUE = Image.new("RGB", (64, 64), (255, 0, 0)), Image.new("RGB", (32, 32), (0, 0, 255))


def test_pictures_lie_in_their_cells_below_their_titles() -> None:
    sheet = contact_sheet([[RED, BLUE], [BLUE, RED]], ["before", "after"], ["one", "two"], cell=64)
    pixels = np.asarray(sheet).astype(int)
    red = (pixels == (255, 0, 0)).all(axis=2)
    blue = (pixels == (0, 0, 255)).all(axis=2)
    assert red.sum() == blue.sum() == 2 * 64 * 64
    # Red is at the upper left and the lower right.
    rows, columns = np.nonzero(red)
    assert np.corrcoef(rows, columns)[0, 1] > 0.5
    first_row, first_column = np.argwhere(red | blue)[0]
    assert (pixels[:first_row].min(axis=(1, 2)) < 128).any(), "no words above"
    assert (pixels[first_row:, :first_column].min(axis=(0, 2)) < 128).any(), "no words on the left"


@pytest.mark.slow
def test_a_huge_sheet_has_smaller_cells() -> None:
    sheet = contact_sheet([[RED] * 50] * 30, [str(i) for i in range(50)], cell=2048)
    assert sheet.width * sheet.height < 130_000_000


def test_counts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="title"):
        contact_sheet([[RED, BLUE]], ["one"])
    with pytest.raises(ValueError, match="row"):
        contact_sheet([[RED]], ["one"], ["a", "b"])
