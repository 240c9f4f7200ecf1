"""Stand-ins for the model and the measuring instruments.

The stand-in subject draws no faces: a picture carries the number of a pose in its first pixel, and
the stand-in observer looks up what belongs to it.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch

from real3d.camera import Camera
from real3d.evaluation.instruments import Instruments
from real3d.evaluation.observer import Observation
from real3d.evaluation.subject import COPY, OURS, WARP, Pose
from real3d.face.blendshapes import ARKIT_INDEX
from real3d.face.crop import CropWindow
from real3d.photo import Portrait

RIGHT_EYE = {33: -0.3, 133: -0.1, 468: -0.2}
LEFT_EYE = {362: 0.1, 263: 0.3, 473: 0.2}
LIDS = (((386, 374), (385, 380), (387, 373)), ((159, 145), (158, 153), (160, 144)))
OPENING = 0.06
"""Lid gap of the stand-in's open eyes; an eye is 0.2 wide."""


def face_landmarks(coefficients: np.ndarray) -> np.ndarray:
    """(478, 3) landmarks of a flat face whose lids, irises and lips obey coefficients (52,)."""
    points = np.random.default_rng(1).uniform(-0.5, 0.5, (478, 3)).astype(np.float32)
    points[:, 2] *= 0.4
    for eye in (RIGHT_EYE, LEFT_EYE):
        for index, x in eye.items():
            points[index] = (x, -0.2, 0)
    names = (("Left", 473, 1), ("Right", 468, -1))
    for (side, iris, sign), pairs in zip(names, LIDS, strict=True):
        gap = OPENING * (1 - coefficients[ARKIT_INDEX[f"eyeBlink{side}"]])
        ways = ("Out", "In", "Up", "Down")
        out, in_, up, down = (coefficients[ARKIT_INDEX[f"eyeLook{way}{side}"]] for way in ways)
        points[iris, :2] += (0.05 * sign * (out - in_), 0.05 * (down - up))
        for upper, lower in pairs:
            points[upper], points[lower] = (0.2, -0.2 - gap / 2, 0), (0.2, -0.2 + gap / 2, 0)
    points[[61, 291]] = ((-0.2, 0.3, 0), (0.2, 0.3, 0))
    points[[127, 356]] = ((-0.45, 0, 0.1), (0.45, 0, 0.1))
    points[[13, 82, 312]] = (0, 0.3, 0)
    points[[14, 87, 317]] = (0, 0.3 + 0.2 * coefficients[ARKIT_INDEX["jawOpen"]], 0)
    return points


@dataclass
class FakeSubject:
    """Ours does share of what is asked; the warp does it all; poses are numbered as drawn."""

    share: float = 1.0
    drawn: dict[int, np.ndarray] = field(default_factory=dict)
    """Number in a picture's first pixel, to coefficients (52,) that it shows."""

    def fit(self, landmarks, coefficients):
        assert landmarks.shape[1:] == (478, 3)
        return self._pose(torch.from_numpy(np.asarray(coefficients, np.float32)))

    def driven(self, driver, landmarks, coefficients):
        return self.fit(landmarks, coefficients)

    def turned(self, views_deg):
        return self._pose(torch.zeros(len(views_deg), 52))

    @staticmethod
    def _pose(coefficients):
        count = len(coefficients)
        there = torch.tensor([0.0, 0.0, 12.0])
        return Pose(Camera(torch.eye(3).repeat(count, 1, 1), there.repeat(count, 1)), coefficients)

    def frames(self, method, pose, size):
        for row in pose.coefficients.numpy():
            yield self._picture({OURS: self.share, WARP: 1.0, COPY: 0.0}[method] * row, size)

    def _picture(self, coefficients, size):
        number = next(
            (k for k, c in self.drawn.items() if np.array_equal(c, coefficients)),
            len(self.drawn) + 1,
        )
        self.drawn[number] = coefficients
        picture = np.full((size, size, 3), 128, np.uint8)
        picture[:8, :8] = number  # so large that it outlives being reduced
        return picture

    def mesh_landmarks(self, pose):
        return np.stack([face_landmarks(row)[:, :2] for row in pose.coefficients.numpy()])


class FakeObserver:
    """Sees what a FakeSubject drew; black pictures show nobody, others a face at rest."""

    def __init__(self, subject: FakeSubject):
        self._subject = subject
        self.count = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def close(self):
        pass

    def observe(self, image, landmarks=None):
        self.count += 1
        embedding = np.eye(128, dtype=np.float32)[0 if image[-1, -1, 0] < 200 else 1]
        if image.max() < 30:
            nothing = np.full((478, 3), np.nan, np.float32)
            return Observation(nothing, np.full(52, np.nan, np.float32), embedding * np.nan)
        coefficients = self._subject.drawn.get(int(image[0, 0, 0]), np.zeros(52, np.float32))
        return Observation(face_landmarks(coefficients), coefficients, embedding)


def fake_portrait(image: np.ndarray | None = None) -> Portrait:
    """A portrait whose window is the whole of a square picture."""
    picture = np.full((512, 512, 3), 128, np.uint8) if image is None else image
    side = len(picture)
    rest = np.zeros(52, np.float32)
    return Portrait(
        np.full((512, 512, 3), picture[-1, -1], np.uint8),
        np.ones((512, 512), np.float32),
        face_landmarks(rest),
        rest,
        CropWindow(side / 2, side / 2, side),
        picture,
    )


@pytest.fixture
def subject() -> FakeSubject:
    return FakeSubject()


@pytest.fixture
def observer(subject) -> FakeObserver:
    return FakeObserver(subject)


@pytest.fixture
def instruments(subject, observer) -> Instruments:
    return Instruments(lambda portraits: subject, observer)


@pytest.fixture
def portrait() -> Portrait:
    return fake_portrait()


@pytest.fixture
def no_tracker(monkeypatch):
    """Portraits come from any picture that is not black, without MediaPipe."""
    from real3d.errors import Real3DError

    def from_image(image, face=0, name="photo", window=None):
        if image.max() < 30:
            raise Real3DError(f"{name}: no face found.")
        return fake_portrait(image)

    def read(path, face=0):
        from real3d.image import read_image

        return from_image(read_image(Path(path)), face, str(path))

    monkeypatch.setattr(Portrait, "from_image", from_image)
    monkeypatch.setattr(Portrait, "read", read)


@pytest.fixture
def write_clip(tmp_path):
    """Writes a recording of grey levels, one for each frame, at 10 frames/s."""
    from real3d.video import VideoWriter

    def write(name: str, greys: list[int]) -> Path:
        with VideoWriter(tmp_path / name, 10, (64, 64)) as video:
            for grey in greys:
                video.write(np.full((64, 64, 3), grey, np.uint8))
        return tmp_path / name

    return write
