import numpy as np
import pytest

from real3d.face.blendshapes import ARKIT_INDEX
from real3d.face.lips import LIPS, lip_shapes, mouth_opening, width_weights


def _opening(**coefficients):
    row = np.zeros((1, 52), np.float32)
    for name, value in coefficients.items():
        row[:, ARKIT_INDEX[name]] = value
    return mouth_opening(row)[0]


def test_the_jaw_opens_and_mouth_close_shuts():
    assert _opening() == 0
    assert 10 < _opening(jawOpen=1) < 50  # millimetres
    assert _opening(jawOpen=0.5) == pytest.approx(_opening(jawOpen=1) / 2, rel=1e-5)
    assert abs(_opening(jawOpen=0.3, mouthClose=0.3)) < 2


def test_smiles_widen_and_puckers_narrow():
    assert width_weights()[ARKIT_INDEX["mouthSmileLeft"]] > 3
    assert width_weights()[ARKIT_INDEX["mouthPucker"]] < -3


def test_forty_landmarks():
    assert lip_shapes().shape == (52, 40, 3)
    assert len(set(LIPS)) == 40
