"""Landmarks made from the template, with a known person, pose and expression, are recovered."""

import math

import pytest
import torch

from real3d.camera import camera_from_pose
from real3d.face.blendshapes import ARKIT_INDEX
from real3d.face.fit import Fit, Fitter
from real3d.rotation import euler_from_rotation, rotation_from_euler

COUNT = 6
PX = 256
"""Pixels of a 512 px picture in a normalised unit."""
EXPRESSION = {"jawOpen": 0.5, "mouthSmileLeft": 0.6, "mouthSmileRight": 0.6, "browInnerUp": 0.7}


@pytest.fixture(scope="module")
def fitter(template):
    return Fitter(template)


@pytest.fixture(scope="module")
def truth(template):
    """Six people in six poses; two of them show EXPRESSION."""
    generator = torch.Generator().manual_seed(3)

    def random(*size):
        return torch.rand(*size, generator=generator) * 2 - 1

    # people as smooth bumps of the mean: chins, noses, cheeks that stand out or back
    centres = template.landmarks[torch.randint(468, (COUNT, 6), generator=generator)]
    near = torch.exp(-((torch.cdist(template.landmarks.expand(COUNT, -1, -1), centres) / 0.2) ** 2))
    identity = near @ random(COUNT, 6, 3) * 0.04
    identity[:, 468:] = 0
    rotation = rotation_from_euler(random(COUNT, 3) * torch.tensor([0.6, 0.3, 0.3]))
    camera = camera_from_pose(rotation, 0.8 + 0.1 * random(COUNT), 0.2 * random(COUNT, 2))
    coefficients = torch.zeros(COUNT, 52)
    for name, value in EXPRESSION.items():
        coefficients[:2, ARKIT_INDEX[name]] = value
    return Fit(identity, camera, coefficients)


@pytest.fixture(scope="module")
def landmarks(template, truth):
    vertices = template.posed(truth.identity, truth.coefficients)
    # the mesh spreads identity smoothly; a tracker sees the landmarks themselves
    own = template.landmarks + truth.identity
    moved = template.posed_landmarks(vertices) - template.posed_landmarks(
        template.posed(truth.identity, torch.zeros_like(truth.coefficients))
    )
    return _seen(truth.camera, own + moved)


def _seen(camera, points):
    """As the tracker gives them: depth at the picture's scale."""
    seen = camera.project(points)
    return torch.cat([seen[..., :2], seen[..., 2:] * camera.scale[:, None, None]], -1)


def _pose_error_deg(found, wanted):
    turn = found.rotation.mT @ wanted.rotation
    cosine = ((turn.diagonal(dim1=1, dim2=2).sum(1) - 1) / 2).clamp(-1, 1)
    return cosine.acos() * (180 / math.pi)


def test_pose_and_expression_of_a_known_person(fitter, truth, landmarks):
    fit = fitter.driven(truth.identity, landmarks, truth.coefficients)
    assert _pose_error_deg(fit.camera, truth.camera).max() < 0.5
    torch.testing.assert_close(fit.camera.scale, truth.camera.scale, rtol=5e-3, atol=0)
    assert (fit.coefficients - truth.coefficients).abs().max() < 0.1
    assert fitter.residual(fit, landmarks).norm(dim=-1).mean() * PX < 0.3


def test_what_the_tracker_says_is_corrected_by_the_landmarks(fitter, truth, landmarks):
    tracked = truth.coefficients * 0.6
    fit = fitter.driven(truth.identity, landmarks, tracked)
    unrefined = Fit(truth.identity, truth.camera, tracked)
    before, after = (fitter.residual(f, landmarks)[:2].norm(dim=-1) for f in (unrefined, fit))
    assert after.mean() < 0.4 * before.mean()
    jaw = fit.coefficients[:, ARKIT_INDEX["jawOpen"]]
    assert (jaw[:2] > 0.33).all()
    assert jaw[2:].max() < 0.05
    assert _pose_error_deg(fit.camera, truth.camera).max() < 1.5


def test_an_unknown_person(fitter, truth, landmarks):
    """Pose is known up to what could as well be the person's shape; the picture is explained."""
    fit = fitter.source(landmarks, truth.coefficients)
    assert _pose_error_deg(fit.camera, truth.camera).max() < 6
    assert fitter.residual(fit, landmarks).norm(dim=-1).mean() * PX < 1
    error = (fit.identity - truth.identity)[:, :468]
    assert error.square().mean() < 0.5 * truth.identity[:, :468].square().mean()


def test_a_fit_explains_other_frames_of_the_person(fitter, template, truth, landmarks):
    identity = fitter.source(landmarks, truth.coefficients).identity
    turned = rotation_from_euler(euler_from_rotation(truth.camera.rotation) * 0.3)
    camera = camera_from_pose(turned, truth.camera.scale, truth.camera.offset)
    others = _seen(camera, template.landmarks + truth.identity)
    fit = fitter.driven(identity, others, torch.zeros_like(truth.coefficients))
    assert fitter.residual(fit, others).norm(dim=-1).mean() * PX < 3


@pytest.mark.parametrize("tracked", [0.4, 0.8])
def test_the_irises_correct_the_gaze(fitter, template, truth, tracked):
    coefficients, said = torch.zeros(1, 52), torch.zeros(1, 52)
    looks = [ARKIT_INDEX["eyeLookOutLeft"], ARKIT_INDEX["eyeLookInRight"]]
    coefficients[:, looks], said[:, looks] = 0.6, tracked
    identity, camera = torch.zeros(1, 478, 3), truth.camera[:1]
    seen = _seen(camera, template.posed_landmarks(template.posed(identity, coefficients)))
    for fit in (fitter.source(seen, said), fitter.driven(identity, seen, said)):
        assert (fit.coefficients[:, looks] - 0.6).abs().max() < 0.19


def test_fits_do_not_depend_on_their_batch(fitter, truth, landmarks):
    together = fitter.driven(truth.identity, landmarks, truth.coefficients)
    alone = fitter.driven(truth.identity[2:3], landmarks[2:3], truth.coefficients[2:3])
    torch.testing.assert_close(
        together.camera.rotation[2:3], alone.camera.rotation, atol=1e-4, rtol=0
    )
    torch.testing.assert_close(together.coefficients[2:3], alone.coefficients, atol=1e-3, rtol=0)


def test_lips_that_no_coefficient_parted_meet_at_rest(fitter, template, truth):
    """Teeth that the tracker does not tell of are an expression, not the person's."""
    parted = torch.zeros_like(truth.coefficients)
    for name in ("mouthUpperUpLeft", "mouthUpperUpRight", "jawOpen"):
        parted[:, ARKIT_INDEX[name]] = 0.2
    face = template.landmarks + torch.einsum("be,ekc->bkc", parted, template.landmark_shapes())
    camera = truth.camera
    fit = fitter.source(_seen(camera, face), torch.zeros_like(parted))

    def gap_mm(face):
        lower, upper = [14, 87, 317, 178, 402], [13, 82, 312, 81, 311]
        return 160 * (face[:, lower, 1] - face[:, upper, 1]).mean(1)

    assert gap_mm(face).min() > 6
    assert gap_mm(fit.identity).abs().max() < 0.5  # as far apart as the mean head's
    apart = fitter.residual(fit, _seen(camera, face)).norm(dim=-1) * PX
    assert apart.mean() < 1
