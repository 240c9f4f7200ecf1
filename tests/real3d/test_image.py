import numpy as np
import pytest
from PIL import Image

from real3d.errors import Real3DError
from real3d.image import read_image, write_image


@pytest.fixture
def picture():
    """(40, 60, 3): red grows to the right, green downwards."""
    rows, columns = np.mgrid[:40, :60]
    return np.stack([columns * 4, rows * 6, np.full_like(rows, 90)], -1).astype(np.uint8)


def test_png_survives_a_round_trip(tmp_path, picture):
    path = write_image(tmp_path / "made" / "a.png", picture)
    np.testing.assert_array_equal(read_image(path), picture)


def test_exif_orientation_is_applied(tmp_path, picture):
    path, exif = tmp_path / "phone.jpg", Image.Exif()
    exif[0x0112] = 6  # the camera lay on its side: turn clockwise to see it upright
    Image.fromarray(picture).save(path, exif=exif, quality=95)
    upright = read_image(path)
    assert upright.shape == (60, 40, 3)
    assert abs(upright.astype(int) - np.rot90(picture, -1).astype(int)).mean() < 4


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK", "LA", "YCbCr"])
def test_every_mode_becomes_rgb(tmp_path, picture, mode):
    path = tmp_path / "picture.tif"
    if mode == "YCbCr":
        path = path.with_suffix(".jpg")
    Image.fromarray(picture).convert(mode).save(path)
    read = read_image(path)
    assert (read.shape, read.dtype) == ((40, 60, 3), np.uint8)
    if mode == "CMYK":
        assert abs(read.astype(int) - picture.astype(int)).mean() < 4


def test_transparent_pixels_become_white(tmp_path, picture):
    alpha = np.zeros((40, 60, 1), np.uint8)
    alpha[:, 30:] = 255
    path = write_image(tmp_path / "cut.png", np.concatenate([picture, alpha], -1))
    read = read_image(path)
    assert (read[:, :30] == 255).all()
    np.testing.assert_array_equal(read[:, 30:], picture[:, 30:])


def test_sixteen_bits_are_scaled(tmp_path):
    path = tmp_path / "deep.png"
    Image.fromarray(np.linspace(0, 65535, 64 * 4).reshape(4, 64).astype(np.uint16)).save(path)
    read = read_image(path)
    assert (read[0, 0, 0], read[-1, -1, 0]) == (0, 255)
    assert abs(int(read[2, 0, 0]) - 128) <= 1


def test_forty_megapixels_are_reduced(tmp_path):
    path = tmp_path / "large.jpg"
    Image.new("RGB", (8000, 5000), (10, 200, 30)).save(path)
    read = read_image(path)
    assert max(read.shape) <= 4096
    assert abs(read.shape[1] / read.shape[0] - 1.6) < 0.01
    assert abs(read.reshape(-1, 3)[0].astype(int) - (10, 200, 30)).max() <= 3


def test_a_bomb_is_refused_before_decoding(tmp_path):
    path = tmp_path / "bomb.png"
    Image.new("1", (12000, 12000)).save(path)
    with pytest.raises(Real3DError, match="144 megapixels"):
        read_image(path)


def test_text_named_jpg(tmp_path):
    path = tmp_path / "letter.jpg"
    path.write_text("Dear Sir or Madam")
    with pytest.raises(Real3DError, match="not a picture"):
        read_image(path)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_truncated_picture(tmp_path, suffix):
    rng = np.random.default_rng(0)
    path = write_image(tmp_path / f"a{suffix}", rng.integers(0, 255, (80, 80, 3)).astype(np.uint8))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(Real3DError, match=r"a\.\w+: (the picture is damaged|not a picture)"):
        read_image(path)


def test_missing_empty_and_folder(tmp_path):
    (tmp_path / "empty.png").touch()
    for name, found in [("no.png", "no such file"), ("empty.png", "is empty"), ("", "a folder")]:
        with pytest.raises(Real3DError, match=found):
            read_image(tmp_path / name)


def test_unwritable_place_and_unknown_type(tmp_path, picture):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Real3DError, match="cannot be written"):
        write_image(tmp_path / "file" / "a.png", picture)
    with pytest.raises(Real3DError, match=r"\.png"):
        write_image(tmp_path / "a.tga", picture)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file"]
