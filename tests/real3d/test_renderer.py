import dataclasses

import numpy as np
import pytest
import torch

from real3d.avatar import Avatar
from real3d.camera import pixel_grid
from real3d.errors import Real3DError
from real3d.fitting import mesh_landmarks
from real3d.networks.geometry import Head
from real3d.pipeline import render_geometric_warp
from real3d.renderer import (
    Renderer,
    _taken_out,
    _without_rim,
    encoding_of,
    network_pictures,
)
from real3d.retarget import turned_camera


@pytest.fixture(scope="module")
def renderer(avatar, model):
    return Renderer(avatar, model)


def _own(renderer, avatar, **options):
    options = {"size": 128, **options}
    return next(renderer.frames(avatar.camera, avatar.coefficients, **options))


@pytest.mark.parametrize("size", [64, 96, 128, 200])
def test_frames_have_the_size_asked_for(renderer, avatar, size):
    frame = _own(renderer, avatar, size=size)
    assert frame.shape == (size, size, 3)
    assert frame.dtype == np.uint8
    assert frame.std() > 10


def test_the_same_input_gives_the_same_frame(renderer, avatar, model):
    cameras = turned_camera(avatar, 20, 5, 0)
    first = next(renderer.frames(cameras, avatar.coefficients, 128))
    again = next(Renderer(avatar, model).frames(cameras, avatar.coefficients, 128))
    np.testing.assert_array_equal(first, again)
    assert (first != _own(renderer, avatar)).any()


def test_frames_are_made_when_they_are_asked_for(renderer, avatar, model, monkeypatch):
    calls = []
    real = model.network.render
    monkeypatch.setattr(model.network, "render", lambda *a: calls.append(1) or real(*a))
    frames = renderer.frames(avatar.camera.expand(3), avatar.coefficients.expand(3, -1), 64)
    assert not calls
    next(frames)
    assert len(calls) == 1


def test_batches_give_what_single_frames_give(avatar, model):
    singly, together = Renderer(avatar, model), Renderer(avatar, model)
    together._batch = 3
    cameras = avatar.camera.expand(4)
    coefficients = avatar.coefficients.repeat(4, 1)
    coefficients[:, 17] = torch.linspace(0, 1, 4)
    one = np.stack(list(singly.frames(cameras, coefficients, 128))).astype(int)
    three = np.stack(list(together.frames(cameras, coefficients, 128))).astype(int)
    assert one.shape == (4, 128, 128, 3)
    assert abs(one - three).max() <= 1
    assert abs(one[0] - one[3]).max() > 20


def test_an_encoding_from_an_avatar_is_the_networks_own(avatar, model):
    photo, alpha = network_pictures(avatar.photo, avatar.alpha, model.config.image_px)
    head = Head(avatar.identity, avatar.coefficients, avatar.camera)
    with torch.inference_mode():
        wanted = model.network.encode(photo, alpha, head)
    found = encoding_of(avatar, model)
    torch.testing.assert_close(found.plates.background, wanted.plates.background)
    torch.testing.assert_close(found.features, wanted.features, atol=2e-3, rtol=2e-3)
    torch.testing.assert_close(found.planes.frontal, wanted.planes.frontal, atol=2e-3, rtol=2e-3)
    torch.testing.assert_close(found.volume.alpha, wanted.volume.alpha, atol=2e-2, rtol=0)
    torch.testing.assert_close(found.geometry.frontal_uv, wanted.geometry.frontal_uv)


def test_a_saved_avatar_gives_the_same_frame(renderer, avatar, model, tmp_path):
    avatar.save(tmp_path / "me.avatar")
    loaded = Avatar.load(tmp_path / "me.avatar")
    np.testing.assert_array_equal(_own(renderer, avatar), _own(Renderer(loaded, model), loaded))


def test_transparent_frames_over_their_background_are_opaque_ones(avatar, model):
    """But for the colours of the rim, which are laid over it afterwards."""
    source = encoding_of(avatar, model)
    head = Head(avatar.identity, avatar.coefficients, avatar.camera)
    with torch.inference_mode():
        target = model.network.geometry.target(source.geometry, head)
        frame = model.network.render(source, target, head)
        person, alpha = _taken_out(frame, source)
    assert alpha.max() > 200 / 255
    over = person + (1 - alpha) * (source.plates.background * 0.5 + 0.5)
    difference = (over - (frame.image * 0.5 + 0.5)).abs() * 255
    assert np.percentile(difference, 99) <= 3


def test_inside_transparent_frames_are_opaque_ones(renderer, avatar):
    rgba = _own(renderer, avatar, background="transparent")
    assert rgba.shape == (128, 128, 4)
    assert rgba[..., 3].max() > 200
    inside = rgba[..., 3] == 255
    assert inside.mean() > 0.02
    difference = abs(rgba[..., :3].astype(int) - _own(renderer, avatar))[inside]
    assert np.percentile(difference, 99) <= 3


def test_a_rim_has_the_colours_of_what_it_surrounds():
    """A dark disc whose border is half of a bright wall."""
    x, y = pixel_grid(128).unbind(-1)
    alpha = ((0.6 - (x.square() + y.square()).sqrt()) * 20 + 0.5).clamp(0, 1)[None, None]
    mixed = (0.2 * alpha + 0.9 * (1 - alpha)).expand(1, 3, -1, -1)
    found = _without_rim(mixed, alpha)[(alpha > 0.02).expand_as(mixed) & (alpha < 0.5)]
    torch.testing.assert_close(found, torch.full_like(found, 0.2), atol=0.05, rtol=0)


def test_an_avatar_of_other_weights_is_refused(avatar, model):
    other = dataclasses.replace(avatar, weights_sha256="f" * 64)
    with pytest.raises(Real3DError, match="other weights"):
        Renderer(other, model)


def test_an_avatar_of_other_bundled_weights_names_them(avatar, model, monkeypatch):
    monkeypatch.setattr("real3d.renderer.bundled_name", lambda sha256: "real3d-512-open")
    other = dataclasses.replace(avatar, weights_sha256="f" * 64)
    with pytest.raises(Real3DError, match=r"pass --weights real3d-512-open\."):
        Renderer(other, model)


def test_the_warp_in_the_photos_own_pose_is_the_photo(avatar, portrait):
    frames = render_geometric_warp(
        avatar, cameras=avatar.camera, coefficients=avatar.coefficients, size=512
    )
    difference = abs(next(frames).astype(int) - portrait.image)
    assert np.median(difference) <= 1
    assert difference.mean() < 2


def test_the_warp_moves_pixels_to_where_the_mesh_goes(avatar, portrait):
    """The nose tip's surroundings are found again at the mesh's new nose tip."""
    camera = turned_camera(avatar, 8, 0, 0)
    frames = render_geometric_warp(
        avatar, cameras=camera, coefficients=avatar.coefficients, size=512
    )
    frame, tip = next(frames), 1
    before = mesh_landmarks(avatar, avatar.camera, avatar.coefficients)[0, tip]
    after = mesh_landmarks(avatar, camera, avatar.coefficients)[0, tip]
    (x0, y0), (x1, y1) = (((p + 1) * 256).int().tolist() for p in (before, after))
    assert abs(x1 - x0) > 5
    patch = portrait.image[y0 - 6 : y0 + 7, x0 - 6 : x0 + 7].astype(int)
    moved = abs(frame[y1 - 6 : y1 + 7, x1 - 6 : x1 + 7] - patch).mean()
    stayed = abs(frame[y0 - 6 : y0 + 7, x0 - 6 : x0 + 7] - patch).mean()
    assert moved < 0.6 * stayed
