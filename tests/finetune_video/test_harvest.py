import cv2
import numpy as np
import pytest
from skimage import data

from finetune_video import harvest
from finetune_video.harvest import FrameSettings, Harvester, sharpness
from finetune_video.sources import Source
from real3d.image import write_image
from real3d.training.perceptual import SFace
from real3d.video import VideoWriter

SETTINGS = FrameSettings(256, 128, 48, 84, 1.5, 3.0, 60.0)
ASTRONAUT = np.ascontiguousarray(data.astronaut()[:320, 60:380])


@pytest.fixture(scope="module")
def harvester():
    with Harvester(SETTINGS) as one:
        yield one


@pytest.fixture
def write(tmp_path):
    """Writes a recording of pictures of one size and says what it is."""

    def written(pictures, frames=4):
        with VideoWriter(tmp_path / "a.mp4", 10, pictures[0].shape[1::-1]) as video:
            for picture in pictures:
                video.write(picture)
        return Source(tmp_path / "a.mp4", "a", "real", frames)

    return written


def test_frames_of_a_recording_in_one_window(harvester, write):
    moving = [np.roll(ASTRONAUT, (0, 2 * k), (0, 1)) for k in range(12)]
    found = harvester.harvest(write(moving))
    assert (found.reason, len(found.clip.frames), found.clip.kind) == ("", 4, "real")
    assert found.sharpness > 5
    first, last = found.clip.frames[0], found.clip.frames[-1]
    picture = cv2.imdecode(np.frombuffer(first.image_webp, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (256, 256, 3)
    assert last.landmarks[4, 0] - first.landmarks[4, 0] > 0.05  # the window stands still
    assert first.coefficients.shape == (52,)


def test_a_photo_is_a_clip_of_one_frame(harvester, tmp_path):
    write_image(tmp_path / "me.png", ASTRONAUT)
    found = harvester.harvest(Source(tmp_path / "me.png", "me", "still-A", 1))
    assert (len(found.clip.frames), found.clip.name) == (1, "me")


@pytest.mark.parametrize(
    ("pictures", "reason"),
    [
        ([np.full((64, 64, 3), 99, np.uint8)] * 9, harvest.NO_FACE),
        ([ASTRONAUT] * 2, harvest.SHORT),
        ([np.ascontiguousarray(ASTRONAUT[::2, ::2])] * 6, harvest.SMALL),
        ([np.ascontiguousarray(ASTRONAUT[70:200, 100:230])] * 6, harvest.BORDER),
        ([cv2.GaussianBlur(ASTRONAUT, (0, 0), 4)] * 6, harvest.BLURRED),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_why_a_recording_is_left_out(harvester, write, pictures, reason):
    found = harvester.harvest(write(pictures))
    assert (found.clip, found.reason) == (None, reason)


def test_what_cannot_be_read_is_no_error(harvester, tmp_path):
    (tmp_path / "letter.mp4").write_text("Dear Sir or Madam")
    letter, none = (Source(tmp_path / f"{n}.mp4", n, "real", 4) for n in ("letter", "none"))
    assert harvester.harvest(letter).reason == harvest.UNREADABLE
    assert harvester.harvest(none).reason == harvest.MISSING
    painted = Source(tmp_path / "letter.mp4", "p", "real", 4, "no photograph")
    assert harvester.harvest(painted).reason == "no photograph"


def test_frames_of_somebody_else_are_left_out(harvester, write, monkeypatch):
    mirrored = [ASTRONAUT] * 6 + [np.ascontiguousarray(ASTRONAUT[:, ::-1])] * 2
    source = write(mirrored, 8)
    monkeypatch.setattr(harvester, "_identity", SFace())
    faces = iter([*np.eye(128, dtype=np.float32)[[0] * 6 + [1] * 2]])
    monkeypatch.setattr(harvester, "_embedding", lambda crop, landmarks: next(faces))
    found = harvester.harvest(source)
    assert 3 <= len(found.clip.frames) <= 6
    assert found.embedding[0] > 0.9


def test_sharpness_falls_with_blur_and_does_not_depend_on_the_size():
    landmarks = np.random.default_rng(0).uniform(-0.4, 0.4, (478, 3)).astype(np.float32)
    sharp = sharpness(ASTRONAUT, landmarks)
    assert sharpness(cv2.GaussianBlur(ASTRONAUT, (0, 0), 3), landmarks) < 0.5 * sharp
    larger = cv2.resize(ASTRONAUT, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    assert sharpness(larger, landmarks) == pytest.approx(sharp, rel=0.25)
