import dataclasses

import numpy as np
import pytest

from real3d.errors import Real3DError
from real3d.face.blendshapes import ARKIT_INDEX
from real3d.motion import Motion, fill_gaps


def _motion(frames=50, fps=25.0, seed=0):
    rng = np.random.default_rng(seed)
    return Motion(
        rng.random((frames, 52)),
        rng.normal(0, 0.3, (frames, 3)),
        rng.normal(0, 2, (frames, 3)),
        fps,
    )


def test_resampling_a_line_stays_on_it():
    ramp = np.arange(100) / 50.0
    motion = Motion(
        np.tile(ramp[:, None], 52) / 4, np.tile(ramp[:, None], 3), np.zeros((100, 3)), 50
    )
    half = motion.resample(25)
    assert (len(half), half.duration_s) == (50, 2.0)
    np.testing.assert_allclose(half.rotation[:, 0], np.arange(50) / 25, atol=1e-6)
    assert motion.resample(50) is motion
    assert len(Motion.still(fps=60).resample(1)) == 1


def test_still_by_name():
    motion = Motion.still({"jawOpen": 0.5}, rotation=(0.1, 0, 0), frames=3)
    assert motion.coefficients.shape == (3, 52)
    assert motion.coefficients[2, ARKIT_INDEX["jawOpen"]] == 0.5
    with pytest.raises(Real3DError, match="jawopen"):
        Motion.still({"jawopen": 0.5})


def test_slices_keep_the_rate():
    part = _motion()[10:20]
    assert (len(part), part.fps) == (10, 25.0)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"coefficients": np.zeros((50, 51))}, r"coefficients must be \(T, 52\)"),
        ({"rotation": np.zeros((49, 3))}, "different lengths"),
        ({"translation": np.full((50, 3), np.nan)}, "translation of frame 0"),
        ({"fps": 0}, "frames a second"),
        ({"fps": float("nan")}, "frames a second"),
    ],
)
def test_wrong_values(change, found):
    motion = _motion()
    values = {name: getattr(motion, name) for name in ("coefficients", "rotation", "translation")}
    with pytest.raises(Real3DError, match=found):
        Motion(**{**values, "fps": 25.0, **change})


def test_empty_motion():
    with pytest.raises(Real3DError, match="no frames"):
        Motion(np.zeros((0, 52)), np.zeros((0, 3)), np.zeros((0, 3)), 25)


def test_short_gaps_are_interpolated_and_ends_held():
    times = np.arange(10) / 10
    values, valid = np.tile(times[:, None], 2), np.ones(10, bool)
    valid[[0, 4, 5, 9]] = False
    broken = values.copy()
    broken[~valid] = np.nan
    filled = fill_gaps(times, broken, valid, longest_s=1.0)
    np.testing.assert_allclose(filled[1:9], values[1:9], atol=1e-6)
    np.testing.assert_allclose(filled[[0, 9], 0], [0.1, 0.8], atol=1e-6)


def test_long_gaps_and_no_face_are_sentences():
    times, valid = np.arange(100) / 25, np.ones(100, bool)
    valid[30:60] = False
    with pytest.raises(Real3DError, match=r"from 1\.2 s to 2\.4 s"):
        fill_gaps(times, np.zeros((100, 3)), valid, longest_s=1.0)
    fill_gaps(times, np.zeros((100, 3)), valid, longest_s=1.5)
    with pytest.raises(Real3DError, match="no face found in any frame"):
        fill_gaps(times, np.zeros((100, 3)), np.zeros(100, bool), longest_s=1.0)


@pytest.mark.parametrize("name", ["coefficients", "rotation", "translation"])
def test_what_no_face_does_is_refused(name):
    still = Motion.still(frames=3)
    values = getattr(still, name).copy()
    values[1, 2] = -1e30
    with pytest.raises(Real3DError, match=f"{name} of frame 1 reaches 1e\\+30"):
        dataclasses.replace(still, **{name: values})
