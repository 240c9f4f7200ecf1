"""The renderer: contexts that do not disturb each other."""

import numpy as np
import pytest

from pretrain_synthetic.heads.render import Renderer
from pretrain_synthetic.heads.scene import Camera, Frame, Light, Mesh, Skin
from pretrain_synthetic.heads.turn import HeadTurn
from real3d.errors import Real3DError

CAMERA = Camera.looking_at(np.zeros(3), 10.0, 0.2, (0.0, 0.0, 0.0))
AHEAD = HeadTurn()


def _open(colour: int, follows: float = 0.0) -> Renderer:
    """With a square of that grey before the camera, that turns by a share of the head's turn."""
    try:
        renderer = Renderer(size=32, supersample=1, lights=8, shadow_px=32)
    except Real3DError as error:
        pytest.skip(f"no OpenGL: {error}")
    renderer.set_light(Light(np.ones((8, 16, 3), np.float32), 0.0))
    vertex = np.zeros((4, 9), np.float32)
    vertex[:, :2], vertex[:, 5] = [[-0.5, -0.5], [0.5, -0.5], [-0.5, 0.5], [0.5, 0.5]], 1
    vertex[:, 8] = follows
    triangle = np.array([[0, 1, 2], [1, 3, 2]], np.int32)
    texture = np.full((2, 2, 4), (colour, colour, colour, 255), np.uint8)
    square = Mesh(vertex, triangle, texture, "cloth", 4, cut=0.0)
    renderer.set_meshes([square], np.zeros((2, 2, 4), np.uint8), Skin())
    return renderer


def _drawn(renderer: Renderer, turn: HeadTurn = AHEAD) -> Frame:
    return renderer.render(CAMERA, np.zeros((32, 32, 3), np.float32), turn)


def test_a_square_is_where_it_should_be():
    frame = _drawn(_open(120))
    assert frame.parts[16, 16] == 4
    assert frame.depth[16, 16] == pytest.approx(10.0, abs=1e-3)
    assert frame.parts[1, 16] == frame.parts[16, 1] == 0
    assert 0.2 < frame.alpha.mean() < 0.3


def test_renderers_side_by_side_draw_what_is_their_own():
    one = _open(40)
    alone = _drawn(one).rgb
    other = _open(200)
    bright = _drawn(other).rgb
    assert bright[16, 16, 0] > alone[16, 16, 0] + 40
    np.testing.assert_array_equal(_drawn(one).rgb, alone)
    np.testing.assert_array_equal(_drawn(other).rgb, bright)


def test_shoulders_turn_by_their_share_and_only_the_head_is_shifted():
    chest, head = _open(120, follows=0.0), _open(120, follows=1.0)
    still = _drawn(chest).rgb
    np.testing.assert_array_equal(_drawn(chest, HeadTurn(40.0)).rgb, still)
    half = HeadTurn(20.0)
    np.testing.assert_allclose(
        _drawn(chest, HeadTurn(40.0, shoulders=0.5)).depth, _drawn(head, half).depth, atol=1e-3
    )
    assert np.ptp(_drawn(head, half).depth[16, 12:18]) > 0.05
    forwards = HeadTurn(shift_dm=(0.0, 0.0, 0.5))
    assert _drawn(head, forwards).depth[16, 16] == pytest.approx(9.5, abs=1e-3)
    assert _drawn(chest, forwards).depth[16, 16] == pytest.approx(10.0, abs=1e-3)
