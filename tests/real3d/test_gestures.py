import numpy as np
import pytest

from real3d.errors import Real3DError
from real3d.face.blendshapes import ARKIT_INDEX, arkit_indices
from real3d.gestures import (
    Voice,
    blink_moments,
    hear,
    weighted_bumps,
    with_blinks,
    with_gaze,
    with_head_motion,
)
from real3d.motion import Motion

FPS = 25.0


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def still():
    return Motion.still(frames=1500, fps=FPS)


@pytest.fixture
def level_db():
    """A minute at 50 Hz: five seconds of four syllables a second, five of silence, and so on."""
    times_s = np.arange(3000) / 50
    loud = np.random.default_rng(1).uniform(0.5, 1.5, 241)[(4 * times_s).astype(int)]
    speech = -25 - 8 * np.cos(2 * np.pi * 4 * times_s) * loud
    return np.where(times_s % 10 < 5, speech, -90)


@pytest.fixture
def voice(level_db):
    return hear(level_db, 50, 1500, FPS)


def test_hearing_finds_phrases_and_stress(voice):
    assert len(voice.phrases) == 6
    assert voice.phrases[1] == pytest.approx((10, 15), abs=0.15)
    assert voice.activity[60] > 0.9
    assert voice.activity[190] < 0.1
    assert 15 < len(voice.stresses) < 80
    assert all(time % 10 < 5 for time, _ in voice.stresses)


def test_silence_has_neither():
    voice = hear(np.full(500, -90.0), 50, 250, FPS)
    assert (voice.phrases, voice.stresses, voice.activity.max()) == ((), (), 0)


def test_natural_blinks_come_every_two_to_six_seconds(voice, rng):
    gaps = np.diff(blink_moments("natural", 600, voice, rng))
    assert gaps.min() >= 1.2  # one may wait for, or come early at, the end of a phrase
    assert gaps.max() <= 6.8
    assert 2.5 < gaps.mean() < 5


def test_blinks_by_rate_by_time_and_none(still, voice, rng):
    assert len(blink_moments("30/min", 60, voice, rng)) == pytest.approx(30, abs=4)
    lids = with_blinks(still, "1.0,3.5", voice, rng).coefficients[:, ARKIT_INDEX["eyeBlinkLeft"]]
    shut = np.flatnonzero(lids > 0.9) / FPS
    assert ((abs(shut - 1.1) < 0.1) | (abs(shut - 3.6) < 0.1)).all()
    assert len(shut) >= 2
    assert with_blinks(still, "none", voice, rng).coefficients.max() == 0


def test_eyes_stay_on_the_camera_while_the_head_turns(still, voice, rng):
    rotation = np.zeros((1500, 3))
    rotation[10:, 0] = np.radians(12)
    turned = Motion(still.coefficients, rotation, still.translation, FPS)
    looking = with_gaze(turned, "camera", voice, rng).coefficients
    left = looking[100:, ARKIT_INDEX["eyeLookInLeft"]]  # to the image's left
    assert left.mean() == pytest.approx(12 / 30, abs=0.05)


def test_gaze_to_angles_and_wandering(still, voice, rng):
    fixed = with_gaze(still, "10,-5", voice, rng).coefficients
    assert fixed[:, ARKIT_INDEX["eyeLookOutLeft"]].mean() == pytest.approx(10 / 30, abs=0.03)
    assert fixed[:, ARKIT_INDEX["eyeLookDownRight"]].mean() == pytest.approx(5 / 30, abs=0.03)
    spread = [with_gaze(still, how, voice, rng).coefficients.std(0).max()
              for how in ("wander", "camera")]  # fmt: skip
    assert spread[0] > 3 * spread[1]


def test_the_head_nods_sways_and_settles(still, voice, rng):
    moved = with_head_motion(still, "natural", voice, rng)
    degrees = np.degrees(moved.rotation)
    assert np.abs(degrees[0]).max() < 1e-3
    assert 1 < np.abs(degrees).max() < 20
    speed = np.abs(np.diff(degrees, axis=0)).sum(1) * FPS
    speaking = voice.activity[1:] > 0.8
    assert speed[speaking].mean() > 1.5 * speed[voice.activity[1:] < 0.1].mean()
    assert speed.max() < 120
    brows = moved.coefficients[:, ARKIT_INDEX["browInnerUp"]]
    assert 0.1 < brows.max() < 0.3
    assert moved.translation[:, 1].std() > 0.05  # breath


def test_stress_pitches_the_head_down(still, level_db):
    voice = hear(level_db, 50, 1500, FPS)
    with_, without = (
        with_head_motion(still, "natural", v, np.random.default_rng(3)).rotation[:, 1]
        for v in (voice, Voice(voice.activity, (), voice.phrases))
    )
    moments = [round(t * FPS) for t, _ in voice.stresses if t * FPS < 1499]
    assert np.degrees((with_ - without)[moments]).mean() < -0.5


def test_still_gains_and_another_motion(still, voice):
    def moved(how):
        return with_head_motion(still, how, voice, np.random.default_rng(1))

    assert np.abs(moved("still").rotation).max() == 0
    np.testing.assert_allclose(moved(0.5).rotation, 0.5 * moved(1).rotation, atol=1e-6)
    other = Motion.still(rotation=(0.2, 0, 0), frames=3, fps=10)
    assert moved(other).rotation[-1, 0] == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("edit", "how"),
    [(with_blinks, "often"), (with_blinks, "0/min"), (with_blinks, "-1"), (with_gaze, "up"),
     (with_gaze, "90,0"), (with_head_motion, "wild"), (with_head_motion, 9.0)],
)  # fmt: skip
def test_wrong_choices_are_sentences(still, voice, rng, edit, how):
    with pytest.raises(Real3DError, match="wanted"):
        edit(still, how, voice, rng)


def test_same_seed_same_motion(still, voice):
    first, again = (
        with_head_motion(still, "natural", voice, np.random.default_rng(5)) for _ in range(2)
    )
    np.testing.assert_array_equal(first.rotation, again.rotation)


def test_bumps_have_their_heights():
    times_s = np.arange(100) / FPS
    bumps = weighted_bumps(times_s, ((1.0, 0.5), (3.0, 1.0)), 0.15)
    assert bumps[[25, 75]].tolist() == [0.5, 1.0]
    assert bumps[50] < 1e-6


def test_lids_blink_on_both_sides(still, voice, rng):
    lids = with_blinks(still, "natural", voice, rng).coefficients[:, arkit_indices("eyeBlink")]
    np.testing.assert_array_equal(lids[:, 0], lids[:, 1])
