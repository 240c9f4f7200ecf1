import numpy as np
import pytest
from skimage import data

from real3d.errors import Real3DError
from real3d.face.blendshapes import ARKIT_INDEX
from real3d.face.tracking import FaceTracker, TrackedFace
from real3d.video import VideoWriter
from real3d.video_tracking import _followed, _smoothed, track_video


def _face(x, height=100.0):
    box = np.zeros((478, 3), np.float32)
    box[0], box[1:] = (x, 0, 0), (x + 0.8 * height, height, 0)
    return TrackedFace(box, np.zeros(52, np.float32))


def _places(frames, index=0):
    timed = ((k / 25, faces) for k, faces in enumerate(frames))
    return [s.face and s.face.box_px[0] for s in _followed(timed, index, "v.mp4")]


@pytest.fixture(scope="module")
def swaying(tmp_path_factory):
    """The astronaut moves sideways and comes closer."""
    path = tmp_path_factory.mktemp("video") / "v.mp4"
    photo = np.pad(data.astronaut()[:300, 80:380], ((0, 0), (40, 40), (0, 0)), mode="edge")
    with VideoWriter(path, 25, (300, 300), crf=12) as video:
        for index in range(24):
            shift = 10 + 2 * index
            video.write(photo[:, shift : shift + 300])
    return path


@pytest.fixture(scope="module")
def motion(swaying):
    return track_video(swaying, smooth=False)


def test_the_asked_face_is_followed_by_place():
    """The order of faces by size changes, their places do not."""
    frames = [[_face(0, 110), _face(500)], [_face(505), _face(2)], [_face(4), _face(510)]]
    assert _places(frames, 0) == [0, 2, 4]
    assert _places(frames, 1) == [500, 505, 510]


def test_nobody_else_takes_over_when_the_face_is_gone():
    assert _places([[_face(0)], [_face(500)], [], [_face(10)]]) == [0, None, None, 10]


def test_a_face_is_waited_for():
    assert _places([[], [_face(0)], [_face(1), _face(300)]], 1) == [None, None, 300]


def test_too_few_faces_is_a_sentence():
    with pytest.raises(Real3DError, match=r"v.mp4: face 2 was asked for, at most 1"):
        _places([[], [_face(0)]], 2)


def test_a_sideways_move_is_a_translation_and_no_turn(motion):
    assert (len(motion), motion.fps) == (24, 25)
    with FaceTracker() as tracker:
        face = tracker.track(data.astronaut()[:300, 80:380])[0]
    eyes = face.landmarks_px[[468, 473], :2]
    cm_per_px = 6.2 / np.linalg.norm(eyes[0] - eyes[1])  # people's eyes are 6.2 cm apart
    moved = motion.translation[-1, 0] - motion.translation[0, 0]
    assert moved == pytest.approx(-46 * cm_per_px, rel=0.2)
    assert np.ptp(motion.rotation[:, 0]) < 0.06
    assert np.ptp(motion.translation[:, 1]) < 1


def test_the_expression_is_seen(motion):
    assert motion.coefficients[:, ARKIT_INDEX["mouthSmileLeft"]].min() > 0.2
    assert motion.coefficients.min() >= 0
    assert motion.coefficients.max() <= 1


def test_smoothing_has_no_lag():
    times = np.arange(200) / 25
    clean = np.where(times < 4, 0.5, 0.5 + 0.5 * np.sin(2 * np.pi * times))[:, None]
    noisy = clean + np.random.default_rng(0).normal(0, 0.02, clean.shape)
    smooth = _smoothed(noisy, 25.0, "coefficients")
    at_rest = [np.abs(np.diff(x[:90], 2, axis=0)).mean() for x in (smooth, noisy)]
    assert at_rest[0] < 0.6 * at_rest[1]
    lags = [np.mean((np.roll(smooth, s) - clean)[110:-5] ** 2) for s in (-2, -1, 0, 1, 2)]
    assert int(np.argmin(lags)) == 2


def test_nobody_in_the_video(tmp_path):
    with VideoWriter(tmp_path / "v.mp4", 25, (128, 128)) as video:
        for _ in range(5):
            video.write(np.full((128, 128, 3), 90, np.uint8))
    with pytest.raises(Real3DError, match=r"v.mp4: no face found"):
        track_video(tmp_path / "v.mp4")
