"""Expressions that are carried over, judged by a tracker."""

from types import SimpleNamespace

import numpy as np
import pytest

from pretrain_synthetic.expression_transfer import compare_view
from pretrain_synthetic.heads import PARTS
from pretrain_synthetic.shown import Shot, Shown
from real3d.evaluation.observer import Observation


def _seen(shift: float, jaw: float) -> Observation:
    """Landmarks moved to the right, their eyes 0.4 apart, with an open jaw."""
    landmarks = np.zeros((478, 3), np.float32)
    landmarks[[33, 133], 0], landmarks[[362, 263], 0] = -0.2, 0.2
    landmarks[:, 0] += shift
    coefficients = np.zeros(52, np.float32)
    coefficients[0] = jaw
    return Observation(landmarks, coefficients, np.zeros(128))


@pytest.fixture
def shot() -> Shot:
    parts = np.full((16, 16), PARTS.index("hair"), np.uint8)
    parts[8:] = PARTS.index("face")
    frame = SimpleNamespace(rgb=np.zeros((16, 16, 3), np.uint8), parts=parts)
    return Shot(SimpleNamespace(frame=frame), 12.0)


def test_pictures_count_inside_the_face_and_the_tracker_by_what_it_saw_in_the_truth(shot):
    picture = np.full((8, 8, 3), 255, np.uint8)
    picture[4:] = 51
    observer = SimpleNamespace(observe=lambda _: _seen(0.02, 0.51))
    found = compare_view(Shown(picture), shot, _seen(0.0, 0.0), observer)
    assert found.psnr_db == pytest.approx(-20 * np.log10(0.2))
    assert found.landmark_percent == pytest.approx(5.0, rel=1e-4)
    assert found.blendshape_error == pytest.approx(0.01, rel=1e-4)


def test_a_face_that_is_not_found_is_not_measured(shot):
    nobody = Observation(np.full((478, 3), np.nan), np.full(52, np.nan), np.zeros(128))
    observer = SimpleNamespace(observe=lambda _: nobody)
    found = compare_view(Shown(np.zeros((8, 8, 3), np.uint8)), shot, _seen(0, 0), observer)
    assert np.isnan([found.landmark_percent, found.blendshape_error]).all()
    assert found.psnr_db == 100
