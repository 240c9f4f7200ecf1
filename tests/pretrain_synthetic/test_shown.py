"""What each method shows of a photo, with a small network that knows nothing."""

import numpy as np
import pytest
import torch

from pretrain_synthetic.heads import PARTS
from pretrain_synthetic.shown import METHODS, Shown, shown_from, shrink
from real3d.networks.config import SMOKE
from real3d.networks.model import build_network
from real3d.weight_files import ready_model


@pytest.fixture(scope="module")
def shown(sitting) -> dict[str, list[Shown]]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = ready_model(build_network(SMOKE), "cpu")
    return shown_from(sitting.turned[2], sitting.turned[1:4], model)


def test_every_method_shows_every_shot_at_half_size(shown):
    assert set(shown) == set(METHODS)
    for views in shown.values():
        assert [view.picture.shape for view in views] == [(64, 64, 3)] * 3
    assert shown["copy"][0].picture is shown["copy"][2].picture
    assert shown["real3d"][0].matte.shape == (64, 64)
    assert shown["warp"][0].matte is None


def test_the_warp_of_a_photo_to_its_own_view_is_the_photo(sitting, shown):
    photo = shrink(sitting.turned[2].view.frame.rgb, 64).astype(float)
    errors = [np.abs(view.picture - photo).mean() for view in shown["warp"]]
    assert errors[1] < 4 < min(errors[0], errors[2])


def test_depth_is_in_decimetres_from_the_camera(sitting, shown):
    """The mesh alone gives it: the network knows nothing yet."""
    for view, shot in zip(shown["real3d"], sitting.turned[1:4], strict=True):
        pick = ((np.arange(SMOKE.ray_px) + 0.5) * 128 / SMOKE.ray_px).astype(int)
        true, parts = (
            x[np.ix_(pick, pick)] for x in (shot.view.frame.depth, shot.view.frame.parts)
        )
        error = (view.depth_dm - true)[(parts == PARTS.index("face")) & np.isfinite(view.depth_dm)]
        assert len(error) > 80
        assert abs(float(np.median(error))) < 0.25
