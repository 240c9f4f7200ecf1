"""One baked head of the small model for all tests of the export."""

import pytest

from real3d.export.bake import bake
from real3d.export.mesh import BakedHead


@pytest.fixture(scope="session")
def baked(avatar, model) -> BakedHead:
    return bake(avatar, model, texture_px=256)
