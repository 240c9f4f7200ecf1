import numpy as np
import pytest

from real3d.demo_motion import demo_motion
from real3d.face.blendshapes import ARKIT_INDEX, arkit_indices


@pytest.fixture(scope="module")
def motion():
    return demo_motion(seconds=4.0, fps=25.0)


def test_length_ranges_and_a_neutral_start(motion):
    assert (len(motion), motion.fps) == (100, 25.0)
    assert 0 <= motion.coefficients.min() <= motion.coefficients.max() <= 1
    assert np.abs(motion.coefficients[0]).max() < 0.02
    assert np.abs(motion.rotation[0]).max() == 0


def test_it_speaks_blinks_looks_turns_and_smiles(motion):
    jaw = motion.coefficients[:, ARKIT_INDEX["jawOpen"]]
    assert ((jaw[1:-1] > jaw[:-2]) & (jaw[1:-1] > jaw[2:]) & (jaw[1:-1] > 0.1)).sum() >= 6
    lids = motion.coefficients[:, arkit_indices("eyeBlink")].mean(1)
    assert lids.max() > 0.9
    assert (lids > 0.5).mean() < 0.2
    yaw = np.degrees(motion.rotation[:, 0])
    assert yaw.min() < -10
    assert yaw.max() > 10
    assert motion.coefficients[-1, arkit_indices("mouthSmile")].min() > 0.4
    assert motion.coefficients[:, arkit_indices("eyeLookOut")].max() > 0.15


def test_eyes_and_head_turn_the_same_way(motion):
    right = motion.coefficients[:, ARKIT_INDEX["eyeLookOutLeft"]]
    early = slice(0, 25)
    left = motion.coefficients[:, ARKIT_INDEX["eyeLookInLeft"]]
    towards_right = right[early].max() > left[early].max()
    assert (motion.rotation[20:35, 0].mean() > 0) == towards_right


def test_head_moves_without_jerks(motion):
    speed_deg = np.degrees(np.abs(np.diff(motion.rotation, axis=0))) * motion.fps
    assert speed_deg.max() < 140


@pytest.mark.parametrize("seconds", [0.04, 1.0, 12.0])
def test_other_lengths(seconds):
    assert len(demo_motion(seconds)) == round(seconds * 25)


def test_same_seed_same_motion(motion):
    np.testing.assert_array_equal(demo_motion(4.0).coefficients, motion.coefficients)
    assert not np.array_equal(demo_motion(4.0, seed=1).coefficients, motion.coefficients)
