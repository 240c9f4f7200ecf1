import wave

import numpy as np
import pytest
import torch

import real3d.audio_motion
from real3d.audio_motion import Speaking, motion_from_audio
from real3d.audio_weights import AudioModel
from real3d.errors import Real3DError
from real3d.face.blendshapes import ARKIT_INDEX, arkit_indices
from real3d.face.lips import mouth_opening
from real3d.motion import Motion
from real3d.networks.audio_to_motion import AudioConfig, build_audio_network
from real3d.samples import SPEECH

QUIET = Speaking(head_motion="still", blink="none")


@pytest.fixture(scope="module")
def model():
    """Random weights of a small network."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build_audio_network(AudioConfig(width=16, around=(1, 2), before=(3,)))
    return AudioModel(network.eval().requires_grad_(False))


def _wave(path, samples):
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


def test_length_rate_and_range(model):
    motion = motion_from_audio(SPEECH, model, fps=30)
    assert motion.fps == 30
    assert len(motion) == round(4.62 * 30)
    assert 0 <= motion.coefficients.min() <= motion.coefficients.max() <= 1
    assert motion.coefficients[:, ARKIT_INDEX["tongueOut"]].max() == 0


def test_any_size_of_pieces_gives_the_same(model, monkeypatch):
    whole = motion_from_audio(SPEECH, model)
    monkeypatch.setattr(real3d.audio_motion, "_PIECE_STEPS", 37)
    pieces = motion_from_audio(SPEECH, model)
    np.testing.assert_allclose(pieces.coefficients, whole.coefficients, atol=1e-5)


def test_loudness_of_the_recording_does_not_count(model, tmp_path):
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(32000) * np.repeat(rng.uniform(0.3, 1, 20), 1600) / 10
    loud, soft = (
        motion_from_audio(_wave(tmp_path / f"{k}.wav", noise * gain), model, QUIET)
        for k, gain in enumerate((1.0, 0.1))
    )
    np.testing.assert_allclose(soft.coefficients, loud.coefficients, atol=0.02)


def test_silence_keeps_the_mouth_shut(tmp_path):
    tone = 0.3 * np.sin(2 * np.pi * 200 * np.arange(16000) / 16000)
    silence = np.zeros(32000)
    path = _wave(tmp_path / "a.wav", np.concatenate([silence, tone, silence]))
    opening = mouth_opening(motion_from_audio(path, None, QUIET).coefficients)
    assert np.abs(opening[:40]).max() < 0.3  # millimetres
    assert np.abs(opening[90:]).max() < 0.3


def test_the_bundled_network_opens_the_mouth_for_speech():
    opening = mouth_opening(motion_from_audio(SPEECH, None, QUIET).coefficients)
    assert opening.max() > 3
    peaks = (opening[1:-1] > opening[:-2]) & (opening[1:-1] >= opening[2:]) & (opening[1:-1] > 1)
    assert peaks.sum() >= 5


def test_a_seed_decides(model):
    def made(seed):
        return motion_from_audio(SPEECH, model, Speaking(seed=seed))

    np.testing.assert_array_equal(made(1).coefficients, made(1).coefficients)
    assert not np.array_equal(made(1).coefficients, made(2).coefficients)
    assert not np.array_equal(made(1).rotation, made(2).rotation)


def test_the_mouths_gain_leaves_brows_alone(model):
    one, two = (
        motion_from_audio(SPEECH, model, Speaking(head_motion="still", mouth_gain=gain))
        for gain in (1.0, 0.5)
    )
    jaw, brows = ARKIT_INDEX["jawOpen"], arkit_indices("browInnerUp")
    np.testing.assert_allclose(two.coefficients[:, jaw], 0.5 * one.coefficients[:, jaw], atol=0.51)
    np.testing.assert_array_equal(two.coefficients[:, brows], one.coefficients[:, brows])
    still = motion_from_audio(SPEECH, model, Speaking(head_motion="still", mouth_gain=0))
    assert np.abs(mouth_opening(still.coefficients)).max() == 0


@pytest.mark.parametrize(
    ("emotion", "more"), [("happy", "mouthSmile"), ("angry", "browDown"), ("sad", "mouthFrown")]
)
def test_emotions_grow_with_intensity(model, emotion, more):
    means = [
        motion_from_audio(SPEECH, model, Speaking(emotion, intensity, head_motion="still"))
        .coefficients[:, arkit_indices(more)]
        .mean()
        for intensity in (0.0, 0.5, 1.0)
    ]
    assert means[0] + 0.1 < means[1] < means[2] - 0.1


def test_the_head_may_come_from_elsewhere(model):
    other = Motion.still(rotation=(0.1, 0.2, 0.3), frames=10, fps=25)
    motion = motion_from_audio(SPEECH, model, Speaking(head_motion=other))
    np.testing.assert_allclose(motion.rotation[-1], (0.1, 0.2, 0.3), atol=1e-6)


def test_from_audio_takes_names(model):
    motion = Motion.from_audio(SPEECH, model, fps=20, head_motion="still", blink="1.0", seed=3)
    assert motion.fps == 20
    assert motion.coefficients[:, ARKIT_INDEX["eyeBlinkLeft"]].max() > 0.9


@pytest.mark.parametrize(
    ("how", "said"),
    [({"emotion": "bored"}, "unknown"), ({"intensity": 2}, "intensity"), ({"blink": "x"}, "blink"),
     ({"gaze": "x"}, "gaze"), ({"head_motion": "x"}, "head motion"), ({"mouth_gain": 9}, "gain")],
)  # fmt: skip
def test_wrong_choices_are_refused_before_listening(how, said, tmp_path):
    with pytest.raises(Real3DError, match=said):
        motion_from_audio(tmp_path / "none.wav", None, Speaking(**how))
