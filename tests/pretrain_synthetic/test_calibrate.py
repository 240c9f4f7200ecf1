import numpy as np
import pytest
import torch

from pretrain_synthetic.calibrate import Residuals, calibrate, correctable, regress
from real3d.face.blendshapes import ARKIT_INDEX
from real3d.face.fit import Fitter
from real3d.face.template import SKIN_LANDMARKS, TEMPLATE_FILE, Template
from real3d.training.shards import Shard

LEFT, RIGHT = ARKIT_INDEX["mouthSmileLeft"], ARKIT_INDEX["mouthSmileRight"]


@pytest.fixture(scope="module")
def head() -> Template:
    return Template()


def _residuals(change: torch.Tensor, truth: torch.Tensor) -> Residuals:
    """What shapes with a missing part truth (52, 478, 3) leave of changes (F, 52)."""
    return Residuals(change, torch.einsum("fe,ekc->fkc", change, truth), torch.empty(0))


def test_regression_finds_what_is_missing():
    generator = torch.Generator().manual_seed(0)
    change = torch.rand(400, 52, generator=generator)
    truth = 0.01 * torch.randn(52, 478, 3, generator=generator)
    found = regress(_residuals(change, truth), torch.ones(52, 478), ridge=1e-4)
    torch.testing.assert_close(found[:, :468], truth[:, :468], atol=1e-4, rtol=0)
    assert (found[:, SKIN_LANDMARKS:] == 0).all()


def test_sides_that_move_together_are_told_apart(head):
    generator = torch.Generator().manual_seed(0)
    change = torch.zeros(400, 52)
    change[:, LEFT] = change[:, RIGHT] = torch.rand(400, generator=generator)
    is_left = head.landmarks[:, 0] > 0
    truth = torch.zeros(52, 478, 3)
    truth[LEFT, is_left, 1] = truth[RIGHT, ~is_left, 1] = -0.02
    found = regress(_residuals(change, truth), correctable(head), ridge=1e-3)
    far_left, far_right = (sign * head.landmarks[:468, 0] > 0.1 for sign in (1, -1))
    for shape, own, other in ((LEFT, far_left, far_right), (RIGHT, far_right, far_left)):
        np.testing.assert_allclose(found[shape, :468][own, 1], -0.02, atol=1e-4)
        np.testing.assert_allclose(found[shape, :468][other], 0, atol=1e-6)


def test_lids_keep_the_travel_that_shuts_them(head):
    allowed = correctable(head)
    assert allowed[ARKIT_INDEX["eyeBlinkLeft"], [386, 374]].max() == 0
    assert allowed[ARKIT_INDEX["eyeBlinkRight"], [386, 374]].max() == 0  # the other eye's
    assert allowed[ARKIT_INDEX["jawOpen"]].min() == 1
    assert allowed[ARKIT_INDEX["mouthLeft"]].min() == 1  # a direction, not a side


def test_calibration_recovers_a_shape_that_was_made_too_small(head, tmp_path):
    """Frames of the shipped head, calibrated from one whose jaw opens by half."""
    generator = torch.Generator().manual_seed(0)
    fitter, jaw = Fitter(head), ARKIT_INDEX["jawOpen"]
    coefficients = torch.zeros(40, 52)
    coefficients[:, jaw] = torch.rand(40, generator=generator)
    landmarks = fitter.mean + torch.einsum("be,ekc->bkc", coefficients, fitter.shapes)
    landmarks = 0.5 * landmarks
    landmarks[..., 2] -= landmarks[:, :SKIN_LANDMARKS, 2].mean(1, True)
    arrays = {"first": [0, 40], "landmarks": landmarks, "coefficients": coefficients}
    frames = Shard({name: np.asarray(array) for name, array in arrays.items()})
    with np.load(TEMPLATE_FILE) as file:
        arrays = {name: file[name] for name in file.files}
    arrays["shapes"] = arrays["shapes"].copy()
    arrays["shapes"][jaw] *= 0.5
    np.savez(tmp_path / "small.npz", **arrays)
    corrected, report = calibrate(frames, tmp_path / "small.npz")
    np.savez(tmp_path / "corrected.npz", **corrected)
    chin = [
        Template(tmp_path / name).landmark_shapes()[jaw, 152, 1]
        for name in ("small.npz", "corrected.npz")
    ]
    assert chin[1] > 1.3 * chin[0]
    assert report.splitlines()[-1].startswith("| all |")
