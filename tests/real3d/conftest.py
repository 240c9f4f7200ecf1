"""One small model with random weights, one portrait and its avatar for all tests of the line."""

import pytest
import torch
from skimage import data

from real3d.avatar import Avatar
from real3d.face.template import Template
from real3d.networks.config import SMOKE
from real3d.networks.model import Real3DNetwork, build_network
from real3d.photo import Portrait
from real3d.pipeline import reconstruct
from real3d.weight_files import Model, ready_model


@pytest.fixture(scope="session")
def template() -> Template:
    return Template()


@pytest.fixture(scope="session")
def network() -> Real3DNetwork:
    """SMOKE's sizes. Layers that start at nothing are filled, so that they count."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build_network(SMOKE)
        for parameter in network.parameters():
            if not parameter.any():
                torch.nn.init.normal_(parameter, std=0.01)
    return network


@pytest.fixture(scope="session")
def model(network) -> Model:
    return ready_model(network, "cpu")


@pytest.fixture(scope="session")
def portrait() -> Portrait:
    return Portrait.from_image(data.astronaut())


@pytest.fixture(scope="session")
def avatar(portrait, model) -> Avatar:
    return reconstruct(portrait, model)
