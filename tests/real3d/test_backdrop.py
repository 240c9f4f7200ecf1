import numpy as np
import pytest

from real3d.backdrop import Backdrop
from real3d.errors import Real3DError
from real3d.image import write_image


@pytest.fixture
def frame():
    """(8, 8, 4): a black head on the left half, half transparent in column 3."""
    frame = np.zeros((8, 8, 4), np.uint8)
    frame[:, :3, 3], frame[:, 3, 3] = 255, 128
    return frame


def test_colour(frame):
    over = Backdrop.parse("#ff0000", 8).behind(frame)
    assert over.shape == (8, 8, 3)
    assert over[0, 0].tolist() == [0, 0, 0]
    assert over[0, 3].tolist() == [127, 0, 0]
    assert over[0, 7].tolist() == [255, 0, 0]


def test_picture_is_cut_to_a_square(tmp_path, frame):
    path = write_image(tmp_path / "wall.png", np.full((30, 90, 3), 77, np.uint8))
    assert (Backdrop.parse(str(path), 8).behind(frame)[:, 4:] == 77).all()


def test_transparent_stays(frame):
    assert Backdrop.parse("transparent", 8).behind(frame) is frame


def test_neither(tmp_path):
    with pytest.raises(Real3DError, match="neither a picture file nor a colour"):
        Backdrop.parse("nowhere.png", 8)
