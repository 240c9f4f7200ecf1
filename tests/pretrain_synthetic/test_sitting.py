"""A person photographed for the evaluation: what moves and what stays."""

import numpy as np
import pytest

from pretrain_synthetic.people import EXPRESSIONS
from pretrain_synthetic.shown import portrait_of
from pretrain_synthetic.sitting import YAWS_DEG
from real3d.face.blendshapes import ARKIT_INDEX


def test_the_head_turns_and_the_chest_stays(sitting):
    shots = sitting.turned
    assert len(shots) == len(YAWS_DEG)
    assert 1.5 < sitting.head_depth_dm < 3.0
    noses = [
        float(shot.view.landmarks[4, 0] - shot.view.landmarks[:468, 0].mean()) for shot in shots
    ]
    assert np.all(np.diff(noses) > 0.02)  # positive yaw: towards the picture's right
    bottoms = [shot.view.frame.rgb[-3:].astype(float) for shot in shots]
    assert np.abs(bottoms[0] - bottoms[2]).mean() < 12
    photo = portrait_of(shots[2].view)
    assert photo.alpha.max() == 1
    assert photo.landmarks.dtype == np.float32


def test_only_the_face_moves_between_expressions(sitting):
    shots = [shot.view for shot in sitting.expressions]
    assert len(shots) == len(EXPRESSIONS)
    rest, jaw = shots[0], shots[EXPRESSIONS.index("open jaw")]
    assert not rest.coefficients.any()
    assert jaw.coefficients[ARKIT_INDEX["jawOpen"]] >= 0.35
    np.testing.assert_array_equal(jaw.head_view, rest.head_view)
    lids = shots[EXPRESSIONS.index("shut eyes")]
    assert lids.coefficients[ARKIT_INDEX["eyeBlinkLeft"]] >= 0.7
    chin = [view.landmarks[152, 1] for view in (rest, jaw, lids)]
    assert chin[1] > chin[0] + 0.05
    assert chin[2] == pytest.approx(chin[0], abs=0.02)
    forehead = [view.landmarks[10, :2] for view in (rest, jaw)]
    np.testing.assert_allclose(*forehead, atol=0.015)
    top = slice(0, len(rest.frame.rgb) // 8)
    assert np.abs(rest.frame.rgb[top].astype(int) - jaw.frame.rgb[top]).mean() < 1
