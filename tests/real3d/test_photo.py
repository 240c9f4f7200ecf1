import numpy as np
import pytest
from PIL import Image
from skimage import data

from real3d.errors import Real3DError
from real3d.face.crop import CropWindow, portrait_window
from real3d.face.tracking import TrackedFace
from real3d.image import write_image
from real3d.photo import Portrait, _person_mask, _without_towers, find_faces


@pytest.fixture(scope="module")
def portrait():
    return Portrait.from_image(data.astronaut())


def test_shapes_and_ranges(portrait):
    assert (portrait.image.shape, portrait.image.dtype) == ((512, 512, 3), np.uint8)
    assert (portrait.alpha.shape, portrait.alpha.dtype) == ((512, 512), np.float32)
    assert 0 <= portrait.alpha.min() <= portrait.alpha.max() <= 1
    assert portrait.landmarks.shape == (478, 3)
    assert portrait.coefficients.shape == (52,)
    assert portrait.original.shape == (512, 512, 3)


def test_the_face_takes_its_share_and_the_matte_holds_it(portrait):
    points = portrait.landmarks[:, :2]
    (left, top), (right, bottom) = points.min(0), points.max(0)
    assert -1 < left < right < 1
    assert 0.7 < bottom - top < 0.9  # 42 % of [-1, 1]
    columns, rows = ((points + 1) * 256).astype(int).T
    assert portrait.alpha[rows, columns].mean() > 0.97


class _Thresholded:
    """Takes what is bright for a person, and whatever is in the first picture's corner."""

    def __init__(self):
        self.looks = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def segment(self, image):
        self.looks += 1
        found = (image[..., 0] > 128).astype(np.float32)
        if self.looks == 1:
            found[:40, :40] = 1
        return found


def test_who_is_seen_in_one_look_of_three_is_nobody(monkeypatch):
    monkeypatch.setattr("real3d.photo.PersonSegmenter", _Thresholded)
    crop = np.zeros((200, 200, 3), np.uint8)
    crop[60:, 70:120] = 255
    np.testing.assert_array_equal(_person_mask(crop), crop[..., 0] / 255)


def test_window_maps_back_to_the_photo(portrait):
    nose_crop = (portrait.landmarks[1, :2] + 1) / 2 * portrait.window.side_px
    corner = np.array([portrait.window.centre_x_px, portrait.window.centre_y_px])
    nose_px = corner - portrait.window.side_px / 2 + nose_crop
    np.testing.assert_allclose(nose_px, find_faces(data.astronaut())[0].landmarks_px[1, :2], atol=1)


def test_a_small_face_in_a_large_photo_is_found():
    wide = np.full((1200, 1800, 3), 120, np.uint8)
    wide[600:1112, 1200:1712] = data.astronaut()
    faces = find_faces(wide)
    assert len(faces) == 1
    expected = find_faces(data.astronaut())[0].landmarks_px[1, :2] + (1200, 600)
    assert np.abs(faces[0].landmarks_px[1, :2] - expected).max() < 6


def test_two_faces_are_told_apart():
    both = np.concatenate([data.astronaut()[:320], data.astronaut()[:320]], 1)
    faces = find_faces(both)
    assert len(faces) == 2
    with pytest.raises(Real3DError, match=r"face 2 was asked for, faces 0 to 1"):
        Portrait.from_image(both, face=2, name="both.jpg")


def test_a_tiny_face_is_refused(tmp_path):
    small = np.array(Image.fromarray(data.astronaut()).resize((200, 200)))
    with pytest.raises(Real3DError, match=r"me\.png: the face is \d\d px high, at least 64"):
        Portrait.read(write_image(tmp_path / "me.png", small))


def test_no_face():
    with pytest.raises(Real3DError, match=r"wall\.jpg: no face found"):
        Portrait.from_image(np.full((300, 400, 3), 128, np.uint8), name="wall.jpg")
    with pytest.raises(Real3DError, match="too few"):
        Portrait.from_image(np.zeros((8, 8, 3), np.uint8))


@pytest.mark.parametrize(
    ("side_px", "wanted"), [(1000, 100 / 0.42), (200, 200), (120, 100 / 0.55), (90, 100 / 0.55)]
)
def test_window_shrinks_before_it_leaves_the_photo(side_px, wanted):
    landmarks = np.zeros((478, 3), np.float32)
    landmarks[0, :2], landmarks[1:, :2] = (10, 0), (60, 100)
    face = TrackedFace(landmarks, np.zeros(52, np.float32))
    assert portrait_window(face, side_px, side_px).side_px == pytest.approx(wanted)


def test_above_a_tight_photo_there_is_background():
    crop = np.full((512, 512, 3), 200, np.uint8)
    crop[:, 200:300] = 20  # hair that the border cuts, and its repetition
    alpha = np.zeros((512, 512), np.float32)
    alpha[:, 200:300] = 1
    window = CropWindow(256, 156, 512)  # its upper 100 pixels lie outside
    found, matte = _without_towers(crop, alpha, window)
    assert np.abs(found[:95].astype(int) - 200).max() <= 2
    assert matte[:95].max() == 0
    np.testing.assert_array_equal(found[110:], crop[110:])
    np.testing.assert_array_equal(matte[110:], alpha[110:])


def test_a_crop_inside_the_photo_stays_as_it_is():
    crop = np.random.default_rng(0).integers(0, 255, (512, 512, 3), np.uint8)
    alpha = np.ones((512, 512), np.float32)
    found, matte = _without_towers(crop, alpha, CropWindow(256, 256, 512))
    assert found is crop
    assert matte is alpha
