"""The rasteriser beside two that are slow and obvious: a loop over pixels, and OpenGL."""

import os
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from real3d.camera import FOCAL, Camera
from real3d.face.rasteriser import Rasteriser
from real3d.face.template import CAVITY, LEFT_EYE, NECK, SKIN
from real3d.rotation import rotation_from_euler


def _soup(triangles, layers=SKIN):
    """A mesh that shares no vertices: (M, 3, 3) corners as u, v, depth."""
    count = len(triangles)
    mesh = SimpleNamespace(
        vertices=triangles.reshape(-1, 3),
        triangles=torch.arange(3 * count).view(count, 3),
        layer=torch.full((count,), layers),
    )
    return mesh, triangles.reshape(1, -1, 3)


def _reference(triangles, size):
    """(size, size) index of the nearest front face at pixel centres, by a loop; -1 for none."""
    found = np.full((size, size), -1)
    nearest = np.full((size, size), np.inf)
    for k, (a, b, c) in enumerate(triangles.numpy().astype(np.float64)):
        e1, e2 = b[:2] - a[:2], c[:2] - a[:2]
        area = e1[0] * e2[1] - e1[1] * e2[0]
        if area >= 0:  # v points down
            continue
        for y in range(size):
            for x in range(size):
                d = np.array([(x + 0.5) * 2 / size - 1, (y + 0.5) * 2 / size - 1]) - a[:2]
                w1 = (d[0] * e2[1] - d[1] * e2[0]) / area
                w2 = (d[1] * e1[0] - d[0] * e1[1]) / area
                depth = a[2] + w1 * (b[2] - a[2]) + w2 * (c[2] - a[2])
                if min(w1, w2, 1 - w1 - w2) >= 0 and depth < nearest[y, x]:
                    nearest[y, x], found[y, x] = depth, k
    return found


@pytest.fixture(scope="module")
def triangles():
    generator = torch.Generator().manual_seed(0)
    triangles = torch.rand(12, 3, 3, generator=generator) * 2.4 - 1.2
    triangles[..., 2] *= 0.5
    return triangles


def test_against_a_loop_over_pixels(triangles):
    mesh, projected = _soup(triangles)
    raster = Rasteriser(mesh).draw(projected, 24)
    wanted = _reference(triangles, 24)
    assert (wanted >= 0).mean() > 0.3
    assert len(np.unique(wanted)) > 4
    assert (raster.triangle[0].numpy() == wanted).mean() > 0.995  # ties on an edge may differ


def test_weights_give_back_the_pixels_own_position(triangles):
    mesh, projected = _soup(triangles)
    raster = Rasteriser(mesh).draw(projected, 24)
    image = raster.interpolate(projected)[0]
    steps = (torch.arange(24) + 0.5) / 12 - 1
    hit = raster.hit[0, 0] > 0
    torch.testing.assert_close(image[0][hit], steps.expand(24, 24)[hit], atol=1e-3, rtol=0)
    torch.testing.assert_close(image[1][hit], steps[:, None].expand(24, 24)[hit], atol=1e-3, rtol=0)
    assert (raster.interpolate(projected, 7.0)[0][:, ~hit] == 7).all()


def test_a_batch_is_its_heads_one_by_one(triangles):
    mesh, projected = _soup(triangles)
    pair = torch.cat([projected, projected * torch.tensor([0.7, 0.7, 1.0])])
    together = Rasteriser(mesh).draw(pair, 32)
    for k in range(2):
        alone = Rasteriser(mesh).draw(pair[k : k + 1], 32)
        assert torch.equal(together.triangle[k], alone.triangle[0])
        torch.testing.assert_close(
            together.interpolate(pair)[k], alone.interpolate(pair[k : k + 1])[0]
        )


def test_back_faces_only_show_in_the_mouths_cavity():
    front = torch.tensor([[[-0.8, -0.8, 0.0], [-0.8, 0.8, 0.0], [0.8, 0.8, 0.0]]])
    back = front[:, [0, 2, 1]]
    for corners, layer, shown in ((front, SKIN, True), (back, SKIN, False), (back, CAVITY, True)):
        mesh, projected = _soup(corners, layer)
        assert bool(Rasteriser(mesh).draw(projected, 16).hit.any()) == shown


def test_skin_covers_an_eye_that_touches_it():
    corners = torch.tensor([[[-0.8, -0.8, 0.0], [-0.8, 0.8, 0.0], [0.8, 0.8, 0.0]]]).repeat(2, 1, 1)
    corners[0, :, 2] = -0.01  # the eye lies a little in front, less than it is pushed back
    mesh, projected = _soup(corners)
    mesh.layer = torch.tensor([LEFT_EYE, SKIN])
    raster = Rasteriser(mesh).draw(projected, 16)
    assert set(raster.triangle.unique().tolist()) == {-1, 1}


def test_nothing_in_the_picture():
    mesh, projected = _soup(torch.full((1, 3, 3), 5.0) + torch.eye(3)[None])
    raster = Rasteriser(mesh).draw(projected, 16)
    assert not raster.hit.any()
    assert raster.interpolate(projected).shape == (1, 3, 16, 16)


def _opengl_depth(vertices_camera, triangles, size):
    """(size, size) distance along the view axis by pyrender; 0 where there is nothing."""
    os.environ.setdefault("PYOPENGL_PLATFORM", "egl")
    np.infty = np.inf  # pyrender 0.1.45 still asks for it
    try:
        import pyrender
        import trimesh

        renderer = pyrender.OffscreenRenderer(size, size)
    except Exception as error:  # whatever OpenGL's loaders raise where there is none
        pytest.skip(f"no OpenGL for pyrender: {type(error).__name__}: {error}")
    head = trimesh.Trimesh(vertices_camera, triangles, process=False)
    scene = pyrender.Scene()
    scene.add(pyrender.Mesh.from_trimesh(head, smooth=False))
    focal = FOCAL * size / 2
    lens = pyrender.IntrinsicsCamera(focal, focal, size / 2, size / 2, znear=5.0, zfar=20.0)
    scene.add(lens, pose=np.diag([1.0, -1.0, -1.0, 1.0]))
    try:
        return renderer.render(scene, pyrender.RenderFlags.DEPTH_ONLY)
    finally:
        renderer.delete()


def test_against_opengl(template):
    """Skin and neck of the template, turned; inner layers are pushed back on purpose."""
    size, finer = 128, 8
    outer = torch.isin(template.layer, torch.tensor([SKIN, NECK]))
    mesh = SimpleNamespace(
        vertices=template.vertices, triangles=template.triangles[outer], layer=template.layer[outer]
    )
    rotation = rotation_from_euler(torch.tensor([[0.4, -0.2, 0.1]]))
    camera = Camera(rotation, torch.tensor([[0.05, 0.1, 11.0]]))
    posed = camera.to_camera(template.vertices[None])[0].numpy()
    fine = _opengl_depth(posed, mesh.triangles.numpy(), size * finer)
    # OpenGL's samples lie anywhere in a pixel: draw finer, and take what is nearest to its centre
    wanted = torch.from_numpy(fine[finer // 2 :: finer, finer // 2 :: finer].copy())
    projected = camera.project(template.vertices[None])
    raster = Rasteriser(mesh).draw(projected, size)
    found = raster.interpolate(projected[..., 2:] + 11.0)[0, 0]
    both = (wanted > 0) & (raster.hit[0, 0] > 0)
    assert both.float().mean() > 0.2
    assert ((wanted > 0) == (raster.hit[0, 0] > 0)).float().mean() > 0.998
    error = (found - wanted)[both].abs()
    assert error.median() < 2e-3
    assert (error < 2e-2).float().mean() > 0.98


@pytest.mark.parametrize("spare", [0, 1000])
def test_with_room_enough_the_raster_is_the_same(triangles, spare):
    mesh, projected = _soup(triangles)
    turned = _soup(triangles.flip(0) * 0.8)[1]
    pair, exact = torch.cat([projected, turned]), Rasteriser(mesh)
    wanted = exact.draw(pair, 24)
    boxes = _pixels_of_boxes(triangles, 24) + _pixels_of_boxes(triangles.flip(0) * 0.8, 24)
    found = exact.draw(pair, 24, -(-boxes // 2) + spare)
    assert wanted.whole.all()
    assert found.whole.all()
    assert torch.equal(found.triangle, wanted.triangle)
    assert torch.equal(found.interpolate(pair, 9.0), wanted.interpolate(pair, 9.0))


def test_with_too_little_room_a_raster_says_so(triangles):
    mesh, projected = _soup(triangles)
    pair = torch.cat([projected, projected])
    room = _pixels_of_boxes(triangles, 24)
    assert Rasteriser(mesh).draw(pair, 24, room).whole.tolist() == [True, True]
    assert Rasteriser(mesh).draw(pair, 24, room - 1).whole.tolist() == [True, False]
    assert Rasteriser(mesh).draw(pair, 24, room // 2 - 1).whole.tolist() == [False, False]


def _pixels_of_boxes(triangles, size):
    """Pixel centres in the boxes of the triangles that face the camera."""
    total, centres = 0, (np.arange(size) + 0.5) * 2 / size - 1
    for a, b, c in triangles.numpy():
        (x0, y0), (x1, y1) = (b - a)[:2], (c - a)[:2]
        if x0 * y1 - y0 * x1 < 0:
            corners = np.stack([a, b, c])[:, :2]
            low, high = corners.min(0), corners.max(0)
            total += np.prod(
                [((centres >= m) & (centres <= n)).sum() for m, n in zip(low, high, strict=True)]
            )
    return int(total)
