import numpy as np
import pytest
from PIL import Image
from skimage import data

from real3d.audio import read_audio
from real3d.evaluation import lip_sheet
from real3d.evaluation.lip_sheet import MOMENTS, write_lip_sheet
from real3d.face.blendshapes import ARKIT_INDEX
from real3d.photo import Portrait
from real3d.pipeline import reconstruct
from real3d.samples import SPEECH
from real3d.training.speech_sequences import SpokenSequence


@pytest.fixture
def avatar(model):
    return reconstruct(Portrait.from_image(data.astronaut()), model)


@pytest.fixture
def sequence():
    times_s = np.arange(100) / 25
    coefficients = np.zeros((100, 52), np.float32)
    coefficients[:, ARKIT_INDEX["jawOpen"]] = 0.5
    coefficients[:, ARKIT_INDEX["eyeBlinkLeft"]] = 1
    return SpokenSequence("sample", read_audio(SPEECH), times_s, coefficients, language="English")


def test_a_sheet_has_the_speakers_mouth_above_ours(sequence, avatar, model, tmp_path, monkeypatch):
    asked = []

    def drawn(avatar, *, model, cameras, coefficients):
        asked.append(coefficients.numpy())
        for row in coefficients:
            level = int(255 * row[ARKIT_INDEX["jawOpen"]])
            yield np.full((64, 64, 3), level, np.uint8)

    monkeypatch.setattr(lip_sheet, "render", drawn)
    path = write_lip_sheet(tmp_path / "lips.png", [sequence, sequence], None, avatar, model)
    assert len(asked) == 4  # two rows a sequence
    true, made = asked[:2]
    assert len(true) == len(made) == MOMENTS
    assert true[:, ARKIT_INDEX["jawOpen"]].min() > made[:, ARKIT_INDEX["jawOpen"]].mean()
    own = avatar.coefficients[0, ARKIT_INDEX["eyeBlinkLeft"]]
    assert true[:, ARKIT_INDEX["eyeBlinkLeft"]] == pytest.approx(float(own), abs=0.05)
    sheet = np.array(Image.open(path))
    assert sheet.shape[1] == 132 + MOMENTS * 128
    assert sheet.shape[0] == pytest.approx(21 + 4 * 128, abs=8)


def test_moments_are_loud_and_end_with_the_sound(sequence):
    silence = np.zeros(3 * 16000, np.float32)
    later = SpokenSequence(
        "later",
        np.concatenate([silence, sequence.samples]),
        np.arange(200) / 25,
        np.zeros((200, 52), np.float32),
    )
    moments = lip_sheet._loud_moments(later)
    assert moments[0] >= 3 * 50 - 10
    assert moments[-1] < later.seconds * 50
    short = SpokenSequence("short", sequence.samples, np.arange(5) / 25, np.zeros((5, 52)))
    assert lip_sheet._loud_moments(short).tolist()[-1] == int(short.seconds * 50) - 1
