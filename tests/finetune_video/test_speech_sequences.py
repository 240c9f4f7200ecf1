import json
import shutil

import numpy as np
import pytest

from finetune_video.speech_sequences import SpeechConfig, _one, _rows, prepare_speech
from real3d.errors import Real3DError
from real3d.face.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from real3d.samples import SPEECH
from real3d.training.speech_sequences import SpokenSequence


@pytest.fixture
def data(tmp_path):
    """One recording that was tracked elsewhere: names in another order, a gap of two frames."""
    folder = tmp_path / "data" / "speech"
    folder.mkdir(parents=True)
    names = ["_neutral", *sorted(name for name in ARKIT_NAMES if name != "tongueOut")]
    (folder / "blendshape_names.json").write_text(json.dumps(names))
    rows = np.zeros((100, 52), np.float16)
    rows[:, names.index("jawOpen")] = np.linspace(0, 0.5, 100)
    rows[50:52] = np.nan
    np.savez(folder / "a.npz", blendshapes=rows, fps=25.0)
    shutil.copy(SPEECH, folder / "a.ogg")
    row = {"file": "a", "source": "home", "speaker": "me", "language": "English", "audio": True,
           "synthetic": False, "split": "train"}  # fmt: skip
    silent = row | {"file": "b", "audio": False}
    lines = "\n".join(json.dumps(r) for r in (row, silent))
    (tmp_path / "data" / "speech.jsonl").write_text(lines)
    return tmp_path / "data"


def test_names_are_reordered_and_gaps_bridged(data, tmp_path):
    ((path, about),) = _rows(SpeechConfig(data, tmp_path))
    target = tmp_path / "speech-a.npz"
    assert _one((path, about, target, False)) is None
    read = SpokenSequence.read(target)
    assert (read.source, read.speaker, read.language) == ("home", "me", "English")
    jaw = read.coefficients[:, ARKIT_INDEX["jawOpen"]]
    np.testing.assert_allclose(jaw, np.linspace(0, 0.5, 100), atol=2e-3)
    assert read.coefficients[:, ARKIT_INDEX["tongueOut"]].max() == 0
    assert read.seconds == pytest.approx(99 / 25)
    assert read.phones is None


def test_the_sounds_of_speech_are_kept(data, tmp_path):
    pytest.importorskip("pocketsphinx")
    prepare_speech(SpeechConfig(data, tmp_path, workers=1))
    read = SpokenSequence.read(tmp_path / "speech-a.npz")
    assert len(read.phones) == len(read.samples) // 160
    assert len(np.unique(read.phones)) > 10


def test_what_is_wrong_with_a_recording_is_said(data, tmp_path):
    ((path, about),) = _rows(SpeechConfig(data, tmp_path))
    path.with_suffix(".ogg").write_text("no sound")
    assert "not a recording" in _one((path, about, tmp_path / "a.npz", False))
    assert not (tmp_path / "a.npz").exists()


def test_an_empty_folder(tmp_path):
    with pytest.raises(Real3DError, match=r"no speech\.jsonl"):
        prepare_speech(SpeechConfig(tmp_path, tmp_path / "out"))
