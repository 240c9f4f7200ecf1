"""Wrinkles: come with their expression, deeper with age."""

import numpy as np
import pytest

from pretrain_synthetic.heads.procedural import TemplateAssets
from pretrain_synthetic.heads.wrinkles import wrinkle_amounts, wrinkle_map
from pretrain_synthetic.landmarks import LandmarkPlaces
from real3d.face.blendshapes import ARKIT_INDEX, ARKIT_NAMES


@pytest.mark.parametrize(
    ("name", "kind"), [("browInnerUp", 0), ("browDownLeft", 1), ("mouthSmileLeft", 2)]
)
def test_each_expression_has_its_wrinkle(name, kind):
    amounts = np.zeros(52)
    amounts[ARKIT_INDEX[name]] = 1
    young, old = (wrinkle_amounts(list(ARKIT_NAMES), amounts, age) for age in (0.55, 1.0))
    assert np.argmax(young) == kind
    assert old[kind] > young[kind]
    assert wrinkle_amounts(list(ARKIT_NAMES), np.zeros(52), 0.6) == (0, 0, 0, 0)


def test_wrinkles_lie_where_the_landmarks_are():
    assets = TemplateAssets()
    uv = LandmarkPlaces.on(assets).uv(assets)
    creases = wrinkle_map(uv)
    rows, columns = np.nonzero(creases[..., 0] > 60)
    brow, hairline = (1 - uv[105, 1]) * 1024, (1 - uv[10, 1]) * 1024
    assert hairline < rows.mean() < brow
    assert abs(columns.mean() / 1024 - uv[9, 0]) < 0.02
