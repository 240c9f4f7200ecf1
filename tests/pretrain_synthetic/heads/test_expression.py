"""Expressions: names without a side set both, gaze turns both eyes the same way."""

from types import SimpleNamespace

import numpy as np
import pytest

from pretrain_synthetic.heads.expression import expression, gaze, sample_expression
from real3d.face.blendshapes import ARKIT_NAMES


@pytest.fixture
def names() -> SimpleNamespace:
    """All that expressions ask of the assets."""
    return SimpleNamespace(arkit_names=list(ARKIT_NAMES))


def _set(vector: np.ndarray) -> dict[str, float]:
    return {n: float(x) for n, x in zip(ARKIT_NAMES, vector, strict=True) if x}


def test_a_name_without_its_side_sets_both(names):
    assert _set(expression(names, mouthSmile=0.5, jawOpen=1.0)) == {
        "mouthSmileLeft": 0.5,
        "mouthSmileRight": 0.5,
        "jawOpen": 1.0,
    }


def test_an_unknown_name_is_an_error(names):
    with pytest.raises(ValueError, match="mouthSmirkLeft"):
        expression(names, mouthSmirk=1.0)


def test_gaze_to_the_right_of_the_picture(names):
    assert set(_set(gaze(names, 0.5, -0.2))) == {
        "eyeLookOutLeft",
        "eyeLookInRight",
        "eyeLookDownLeft",
        "eyeLookDownRight",
    }


def test_samples_are_coefficients(names):
    rng = np.random.default_rng(0)
    drawn = np.stack([sample_expression(rng, names) for _ in range(200)])
    assert drawn.shape == (200, 52)
    assert 0 <= drawn.min() <= drawn.max() <= 1
    assert not drawn[:, ARKIT_NAMES.index("tongueOut")].any()
