import dataclasses
import subprocess
import sys

import numpy as np
import pytest
import torch

import real3d
from real3d.errors import Real3DError
from real3d.motion import Motion
from real3d.photo import Portrait
from real3d.pipeline import fit_motion, mesh_landmarks


def _turned(portrait, shift):
    """The same person, a little further from the front, as a tracker would say."""
    landmarks = portrait.landmarks.copy()
    angle = np.float32(shift)
    x, z = landmarks[:, 0].copy(), landmarks[:, 2].copy()
    landmarks[:, 0] = np.cos(angle) * x - np.sin(angle) * z
    landmarks[:, 2] = np.sin(angle) * x + np.cos(angle) * z
    return dataclasses.replace(portrait, landmarks=landmarks)


def test_importing_real3d_imports_nothing_heavy():
    code = "import sys, real3d; print(sum(m in sys.modules for m in ('torch', 'numpy', 'cv2')))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "0"


@pytest.mark.parametrize("name", real3d.__all__)
def test_every_public_name_is_there(name):
    value = getattr(real3d, name)
    assert callable(value) or name == "__version__"


def test_submodules_do_not_shadow_functions():
    """A module called render would replace the function once it is imported."""
    assert not [name for name in real3d.__all__ if type(getattr(real3d, name)) is type(sys)]


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="renderr"):
        real3d.renderr  # noqa: B018


def test_a_device_that_is_not_there(tmp_path):
    with pytest.raises(Real3DError, match="abacus"):
        real3d.load(tmp_path, "abacus")


def test_the_photos_own_fit_is_kept(avatar, portrait):
    camera, coefficients = fit_motion(avatar, portrait.landmarks[None], portrait.coefficients[None])
    torch.testing.assert_close(camera.rotation, avatar.camera.rotation, atol=1e-4, rtol=0)
    torch.testing.assert_close(coefficients, avatar.coefficients, atol=1e-3, rtol=0)
    points = mesh_landmarks(avatar, camera, coefficients)
    assert points.shape == (1, 478, 2)
    error_px = np.linalg.norm(points[0].numpy() - portrait.landmarks[:, :2], axis=-1) * 256
    assert error_px.mean() < 1.5


def test_several_photos_the_most_frontal_one_is_looked_up(portrait, model):
    blank = np.full_like(portrait.image, 90)
    aside = dataclasses.replace(_turned(portrait, 0.6), image=blank)
    avatar = real3d.reconstruct([aside, portrait], model)
    single = real3d.reconstruct(portrait, model)
    assert torch.equal(avatar.photo, torch.from_numpy(portrait.image))
    torch.testing.assert_close(avatar.identity[..., :2], single.identity[..., :2])
    assert not torch.equal(avatar.planes.frontal, single.planes.frontal)
    assert next(real3d.render(avatar, Motion.still(), model=model, size=64)).shape == (64, 64, 3)


def test_twice_the_same_photo_is_that_photo(portrait, avatar, model):
    twice = real3d.reconstruct([portrait, portrait], model)
    torch.testing.assert_close(twice.planes.frontal, avatar.planes.frontal, atol=2e-3, rtol=2e-3)
    torch.testing.assert_close(twice.identity, avatar.identity)


def test_half_precision_shows_the_same(portrait, avatar, model, monkeypatch):
    motion = Motion.still({"jawOpen": 0.5}, rotation=(0.3, 0.0, 0.0))
    (wanted,) = real3d.render(avatar, motion, model=model, size=128, relative=False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    half = real3d.reconstruct(portrait, model)
    (found,) = real3d.render(half, motion, model=model, size=128, relative=False)
    assert not torch.equal(half.planes.frontal, avatar.planes.frontal)
    assert np.abs(found.astype(float) - wanted).mean() < 1


def test_no_photo(model):
    with pytest.raises(Real3DError, match="no portrait"):
        real3d.reconstruct([], model)


def test_render_by_motion_and_by_cameras(avatar, model):
    motion = Motion.still({"jawOpen": 0.5}, rotation=(0.2, 0.0, 0.0), frames=2)
    by_motion = list(real3d.render(avatar, motion, model=model, size=64, relative=False))
    assert len(by_motion) == 2
    cameras = real3d.pipeline.retarget(avatar, motion, False)[0]
    rows = motion.coefficients
    directly = real3d.render(avatar, model=model, cameras=cameras, coefficients=rows, size=64)
    np.testing.assert_array_equal(by_motion[1], list(directly)[1])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "either a motion"),
        ({"motion": True, "cameras": True}, "either a motion"),
        ({"cameras": True}, "together"),
        ({"cameras": True, "coefficients": np.zeros((2, 52))}, r"must be \(1, 52\)"),
        ({"cameras": True, "coefficients": np.zeros((1, 51))}, r"must be \(1, 52\)"),
        ({"motion": True, "background": "white"}, "background 'white'"),
    ],
)
def test_drivers_that_do_not_fit_are_refused_at_once(avatar, model, options, words):
    if "motion" in options:
        options["motion"] = Motion.still()
    if "cameras" in options:
        options["cameras"] = avatar.camera
    with pytest.raises(Real3DError, match=words):
        real3d.render(avatar, model=model, **options)


def test_orbit(avatar, model):
    frames = list(real3d.orbit(avatar, model, seconds=0.4, fps=10, yaw_deg=30, size=64))
    assert [frame.shape for frame in frames] == [(64, 64, 3)] * 4
    clear = next(real3d.orbit(avatar, model, seconds=0.1, size=64, background="transparent"))
    assert clear.shape == (64, 64, 4)


def test_redirect(avatar, model):
    own = real3d.redirect(avatar, model, size=64)
    assert (own != real3d.redirect(avatar, model, 30, size=64)).any()
    front = real3d.redirect(avatar, model, frontal=True, size=64)
    orbit = next(real3d.orbit(avatar, model, size=64))
    np.testing.assert_array_equal(front, orbit)
    shut = np.zeros(52, np.float32)
    shut[[0, 7]] = 1
    assert (own != real3d.redirect(avatar, model, coefficients=shut, size=64)).any()
    with pytest.raises(Real3DError, match="yaw is nan"):
        real3d.redirect(avatar, model, float("nan"))


def test_portrait_is_the_photos_class():
    assert real3d.Portrait is Portrait
