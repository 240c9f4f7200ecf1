import numpy as np

from real3d.face.crop import CropWindow, crop_image, without_streaks

WIDTH, HEIGHT, SIZE = 100, 80, 128


def _streaked(window):
    photo = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    crop = crop_image(photo, window, SIZE)
    return crop, without_streaks(crop, window, WIDTH, HEIGHT)


def test_inside_the_photo_nothing_changes():
    crop, found = _streaked(CropWindow(50, 40, 60))
    assert found is crop


def test_beyond_its_border_a_crop_is_smooth():
    window = CropWindow(50, 50, 90)  # 10 px of the window lie below the photo, 5 above are missing
    crop, found = _streaked(window)
    below = round((HEIGHT - 5) / 90 * SIZE)
    assert np.array_equal(found[: below - 1], crop[: below - 1])

    def roughness(picture):
        return np.abs(np.diff(picture[below + 8 :].astype(float), axis=1)).mean()

    assert roughness(found) < 0.2 * roughness(crop)
    assert found.dtype == np.uint8
