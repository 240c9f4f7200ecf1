import numpy as np
import pytest

from real3d.emotion import EMOTIONS, EmotionTrack, emotion_poses, with_emotion
from real3d.errors import Real3DError
from real3d.face.blendshapes import arkit_indices


def _face(text, intensity=1.0, open_=1.0, mouth=None):
    track = EmotionTrack.parse(text, intensity)
    row = np.zeros((1, 52), np.float32) if mouth is None else mouth
    return with_emotion(row, track.at(np.zeros(1)), np.full(1, open_))[0]


def _mean(face, name):
    return face[arkit_indices(name)].mean()


@pytest.mark.parametrize(
    ("emotion", "more"),
    [("happy", "mouthSmile"), ("sad", "mouthFrown"), ("sad", "browInnerUp"),
     ("angry", "browDown"), ("surprised", "eyeWide"), ("surprised", "browOuterUp"),
     ("disgusted", "noseSneer"), ("fearful", "eyeWide"), ("contempt", "mouthSmileLeft")],
)  # fmt: skip
def test_each_shows_and_grows_with_intensity(emotion, more):
    values = [_mean(_face(emotion, intensity), more) for intensity in (0, 0.3, 0.6, 1)]
    assert values[0] == 0
    assert (np.diff(values) > 0.05).all()


def test_a_blend_is_the_sum_of_its_parts():
    poses = emotion_poses()
    wanted = 0.6 * poses[EMOTIONS.index("happy")] + 0.3 * poses[EMOTIONS.index("surprised")]
    np.testing.assert_allclose(_face("happy:0.6,surprised:0.3"), wanted, atol=1e-6)


def test_over_time_blends_cross_fade():
    track = EmotionTrack.parse("neutral; 2.5 happy:0.8; 6 sad")
    happy, sad = EMOTIONS.index("happy"), EMOTIONS.index("sad")
    at = track.at(np.array([0.0, 2.0, 2.5, 4.0, 8.0]))
    np.testing.assert_allclose(at[:, happy], [0, 0, 0.4, 0.8, 0], atol=1e-6)
    np.testing.assert_allclose(at[:, sad], [0, 0, 0, 0, 1], atol=1e-6)
    np.testing.assert_allclose(track.weights(np.linspace(0, 9, 200)).sum(1), 1, atol=1e-6)


def test_a_track_may_start_later():
    assert EmotionTrack.parse("3 angry").at(np.array([0.0, 5.0])).max(1).tolist() == [0, 1]


def test_shut_lips_are_not_parted():
    jaw = _mean(_face("surprised", open_=1.0), "jawOpen")
    assert jaw > 0
    assert _mean(_face("surprised", open_=0.0), "jawOpen") == 0


def test_nobody_smiles_and_frowns_at_once():
    mouth = np.zeros((1, 52), np.float32)
    mouth[:, arkit_indices("mouthSmile")] = 0.5
    face = _face("sad", mouth=mouth)
    assert _mean(face, "mouthSmile") == 0
    assert _mean(face, "mouthFrown") > 0.4


@pytest.mark.parametrize(
    "text", ["joyful", "happy:2", "happy:x", "", "happy;", "neutral; sad", "0 sad; 0 happy"]
)
def test_wrong_words_are_sentences(text):
    with pytest.raises(Real3DError, match="emotion"):
        EmotionTrack.parse(text)


def test_intensity_has_bounds():
    with pytest.raises(Real3DError, match=r"intensity 1\.5"):
        EmotionTrack.parse("happy", 1.5)
