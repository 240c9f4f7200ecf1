import numpy as np
import pytest
from skimage import data

from real3d.face.crop import CropWindow, crop_image
from real3d.paste_back import PasteBack

WINDOWS = [CropWindow(256, 200, 220), CropWindow(180, 160, 420), CropWindow(256, 256, 600)]


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("size", [256, 512])
def test_the_untouched_crop_gives_back_the_photo(window, size):
    photo = data.astronaut()
    paste = PasteBack(photo, window)
    pasted = paste(crop_image(photo, window, size))
    assert paste.size == (512, 512)
    reduction = max(1.0, window.side_px / size)  # what a smaller crop has lost is lost
    assert np.abs(pasted.astype(int) - photo).mean() < 2.5 * reduction
    shifted = np.abs(pasted[:, 2:].astype(int) - photo[:, :-2]).mean()  # two pixels off are seen
    assert np.abs(pasted.astype(int) - photo).mean() < 0.5 * shifted


def test_outside_nothing_changes_and_edges_are_soft():
    photo = np.full((400, 600, 3), 50, np.uint8)
    pasted = PasteBack(photo, CropWindow(300, 200, 200))(np.full((512, 512, 3), 250, np.uint8))
    assert (pasted[:99] == 50).all()
    assert (pasted[200, 300] == 250).all()
    row = pasted[200, 195:305, 0].astype(int)
    assert (np.diff(row) >= 0).all()
    assert np.diff(row).max() < 25


def test_where_the_crop_ends_the_photo_it_is_not_faded():
    photo = np.full((300, 300, 3), 50, np.uint8)
    pasted = PasteBack(photo, CropWindow(150, 150, 300))(np.full((256, 256, 3), 250, np.uint8))
    assert (pasted == 250).all()


def test_large_photos_are_reduced_to_even_sides():
    paste = PasteBack(np.zeros((3001, 2001, 3), np.uint8), CropWindow(1000, 1500, 800), 1920)
    assert paste.size == (1280, 1920)
    assert paste(np.full((64, 64, 3), 255, np.uint8)).shape == (1920, 1280, 3)
