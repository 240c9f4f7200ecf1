"""The asset folder is not part of the repository: PRETRAIN_ASSETS names it."""

import os
from pathlib import Path

import pytest

from pretrain_synthetic.heads.assets import Assets
from pretrain_synthetic.heads.procedural import TemplateAssets
from pretrain_synthetic.people import Studio, View
from pretrain_synthetic.sitting import Sitting, photograph
from real3d.errors import Real3DError


@pytest.fixture(scope="session")
def assets() -> Assets:
    folder = os.environ.get("PRETRAIN_ASSETS")
    if not folder:
        pytest.skip("no head assets: set PRETRAIN_ASSETS to their folder")
    return Assets(Path(folder))


@pytest.fixture(scope="session")
def studio(assets) -> Studio:
    try:
        return Studio.open(assets, size=128, supersample=1, lights=4)
    except Real3DError as error:
        pytest.skip(f"no OpenGL: {error}")


@pytest.fixture(scope="session")
def views(studio) -> list[View]:
    """Person 1 of seed 0."""
    return list(studio.views(seed=0, index=1))


@pytest.fixture(scope="session")
def bare_studio() -> Studio:
    """A studio that needs no asset folder."""
    try:
        return Studio.open(TemplateAssets(), size=128, supersample=1, lights=2)
    except Real3DError as error:
        pytest.skip(f"no OpenGL: {error}")


@pytest.fixture(scope="session")
def sitting(bare_studio) -> Sitting:
    """Person 1 of seed 0, photographed for the evaluation at 128 px."""
    return photograph(bare_studio, seed=0, number=1)
