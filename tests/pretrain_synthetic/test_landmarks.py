"""Landmarks: the projection's convention, and points that lie on the meshes."""

import numpy as np

from pretrain_synthetic.heads.assets import Proxy
from pretrain_synthetic.heads.expression import gaze
from pretrain_synthetic.heads.scene import look_at
from pretrain_synthetic.heads.shape import neutral_vertices, posed_vertices, sample_identity
from pretrain_synthetic.landmarks import COUNT, LandmarkPlaces, locate_uv, project


def test_projection_is_x_right_y_down_z_away():
    view = look_at(np.array([0.0, 0.0, 10.0]), np.zeros(3), 0.0)
    fov = 2 * np.arctan(0.1)
    points = np.array([[0.5, 0, 0], [0, 0.5, 0], [0, 0, 1.0], [0, 0, -1.0]])
    image = project(points, view, fov)
    np.testing.assert_allclose(image[0], [0.5, 0, 0], atol=1e-9)
    np.testing.assert_allclose(image[1], [0, -0.5, 0], atol=1e-9)
    assert image[2, 2] < 0 < image[3, 2]
    np.testing.assert_allclose(image[3, 2], 1.0, atol=1e-9)


def test_locate_uv_gives_the_barycentric_weights():
    uv = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], float)
    face = np.array([[5, 6, 7, 0, 1, 2], [6, 8, 7, 1, 3, 2]])
    nothing = np.zeros(0)
    square = Proxy(nothing, nothing, nothing, nothing, nothing, face, uv, nothing)
    vertex, weight = locate_uv(square, np.array([0.25, 0.5]))
    np.testing.assert_array_equal(vertex, [5, 6, 7])
    np.testing.assert_allclose(weight, [0.25, 0.25, 0.5])
    assert locate_uv(square, np.array([0.9, 0.8]))[0].tolist() == [6, 8, 7]


def test_landmarks_have_their_anatomical_order(assets):
    person = sample_identity(np.random.default_rng(3), assets)
    neutral = neutral_vertices(assets, person)
    points = LandmarkPlaces.on(assets).points(assets, neutral)
    assert points.shape == (COUNT, 3)
    x, y, z = points.T
    assert y[10] > y[4] > y[13] > y[152]  # forehead, nose tip, upper lip, chin
    assert x[33] < x[133] < x[362] < x[263]  # eye corners from the subject's right to the left
    assert z[4] > z[[33, 263, 152]].max()
    for centre, corners in ((468, (33, 133)), (473, (362, 263))):
        assert x[corners[0]] < x[centre] < x[corners[1]]
        right, top, left, bottom = points[centre + 1 : centre + 5] - points[centre]
        assert right[0] > 0.05 > -0.05 > left[0]
        assert top[1] > 0.05 > -0.05 > bottom[1]


def test_irises_turn_with_the_gaze(assets):
    person = sample_identity(np.random.default_rng(3), assets)
    neutral, places = neutral_vertices(assets, person), LandmarkPlaces.on(assets)
    right = posed_vertices(assets, person, neutral, gaze(assets, 1.0, 0.0))
    move = places.points(assets, right)[[468, 473]] - places.points(assets, neutral)[[468, 473]]
    assert (move[:, 0] > 0.04).all()
