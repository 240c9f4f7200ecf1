"""Scores against closed forms."""

from dataclasses import replace

import numpy as np
import pytest

from pretrain_synthetic.compare import Depths, normals_of, psnr_inside, score

FOCAL = 8.776


def test_psnr_counts_the_region_alone():
    truth = np.zeros((8, 8, 3), np.uint8)
    picture = truth.copy()
    picture[:4], picture[4:] = 51, 255  # a fifth of the range inside the head
    head = np.zeros((8, 8), bool)
    head[:4] = True
    assert score(picture, truth, head).psnr_db == pytest.approx(-20 * np.log10(0.2))
    assert np.isnan(psnr_inside(picture, truth, np.zeros((8, 8), bool)))


def test_iou_of_half_overlapping_mattes():
    found, true = np.zeros((4, 4)), np.zeros((4, 4))
    found[:2], true[1:3] = 1, 1
    image = np.zeros((4, 4, 3), np.uint8)
    assert score(image, image, found > 0, (found, true)).alpha_iou == pytest.approx(1 / 3)


def _scored(depths: Depths):
    image = np.zeros((4, 4, 3), np.uint8)
    return score(image, image, np.ones((4, 4), bool), None, depths)


def test_depth_is_compared_after_the_best_shift_where_it_is_known():
    everywhere = np.ones((4, 4), bool)
    true = np.full((4, 4), 5.0)
    found = true + 2.0
    found[0, 0] = np.nan
    depths = Depths(found, true, everywhere, everywhere, 1.4, FOCAL)
    assert _scored(depths).depth_percent == 0
    found[1] += 0.14
    assert _scored(depths).depth_percent == pytest.approx(10 * 4 / 15)
    hidden = replace(depths, true=true * np.nan)
    assert np.isnan(_scored(hidden).depth_percent)
    assert np.isnan(_scored(hidden).normals_deg)


def _plane(normal: np.ndarray, count: int = 32, distance: float = 12.0) -> np.ndarray:
    """Depth of a plane through (0, 0, distance) as a camera sees it, by its equation."""
    steps = (np.arange(count) + 0.5) * (2 / count) - 1
    u, v = np.meshgrid(steps, steps)
    return normal[2] * distance / (normal[0] * u / FOCAL + normal[1] * v / FOCAL + normal[2])


def _tilted(x_deg: float, y_deg: float) -> np.ndarray:
    """Unit normal towards the camera, tilted to the right and down."""
    towards = np.array([np.tan(np.deg2rad(x_deg)), np.tan(np.deg2rad(y_deg)), -1.0])
    return towards / np.linalg.norm(towards)


@pytest.mark.parametrize("angles", [(0, 0), (40, 0), (-25, 30)])
def test_a_plane_has_its_normal_in_every_pixel_but_the_rim(angles):
    normal = _tilted(*angles)
    found = normals_of(_plane(normal), FOCAL)
    np.testing.assert_allclose(found[1:-1, 1:-1], np.broadcast_to(normal, (30, 30, 3)), atol=1e-9)
    rim = np.ones((32, 32), bool)
    rim[1:-1, 1:-1] = False
    assert np.isnan(found[rim]).all()


def test_a_ball_has_the_normals_of_a_ball():
    count, radius, centre = 128, 0.8, np.array([0.0, 0.0, 12.0])
    steps = (np.arange(count) + 0.5) * (2 / count) - 1
    u, v = np.meshgrid(steps, steps)
    ray = np.stack([u / FOCAL, v / FOCAL, np.ones_like(u)], -1)
    a, b = (ray**2).sum(-1), ray @ centre
    under = b**2 - a * (centre @ centre - radius**2)
    depth = np.where(under > 0, (b - np.sqrt(np.maximum(under, 0))) / a, np.nan)
    found = normals_of(depth, FOCAL)
    wanted = (ray * depth[..., None] - centre) / radius
    facing = wanted[..., 2] < -0.5
    angle = np.rad2deg(np.arccos(np.clip((found * wanted).sum(-1), -1, 1)))
    assert facing.sum() > 3000
    assert np.nanmax(angle[facing]) < 1.0


def test_normals_are_compared_by_angle_inside_the_face_whatever_the_distance():
    everywhere = np.ones((32, 32), bool)
    true, found = _plane(_tilted(10, 0)), _plane(_tilted(25, 0), distance=15.0)
    depths = Depths(found, true, everywhere, everywhere, 1.4, FOCAL)
    assert _scored(depths).normals_deg == pytest.approx(15.0)
    left = np.arange(32)[None] < 16
    found = np.where(left, true, found)
    inside = replace(depths, found=found, face=everywhere & left)
    assert _scored(inside).normals_deg == pytest.approx(0.0, abs=1e-5)
