"""The head's turn: rigid for the head, nothing for the chest, smooth between."""

import numpy as np
import pytest

from pretrain_synthetic.heads.turn import (
    PIVOT_DM,
    HeadTurn,
    cloth_follows,
    hair_follows,
    skin_follows,
)

CHIN = np.array([0, -1.17, 0.16])


def test_axis_and_angle_give_the_rotation_back():
    turn = HeadTurn(50.0, -12.0, 7.0)
    *axis, angle = turn.axis_angle()
    cross = -np.cross(np.eye(3), axis).T
    rodrigues = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    np.testing.assert_allclose(rodrigues, turn.rotation(), atol=1e-9)
    assert HeadTurn().axis_angle()[3] == 0


def test_the_pivot_stays_and_positive_yaw_turns_the_nose_to_the_subjects_left():
    m = HeadTurn(40.0).matrix()
    np.testing.assert_allclose(m[:3, :3] @ PIVOT_DM + m[:3, 3], PIVOT_DM, atol=1e-9)
    assert (m[:3, :3] @ (0, 0, 1))[0] == pytest.approx(np.sin(np.deg2rad(40)))


def test_a_shift_moves_the_head_as_it_is_turned():
    turn, shifted = (HeadTurn(40.0, 5.0, shift_dm=s) for s in ((0, 0, 0), (0.1, -0.05, 0.02)))
    np.testing.assert_allclose((shifted.matrix() - turn.matrix())[:3, 3], (0.1, -0.05, 0.02))
    np.testing.assert_array_equal(shifted.rotation(), turn.rotation())


def test_the_head_follows_whole_the_chest_not_at_all():
    nose, crown, chest = [0, -0.3, 0.4], [0, 1.1, -0.8], [0, -2.6, -0.2]
    shoulder, throat = [1.6, -1.8, -1.1], [0, -1.6, -0.45]
    points = np.array([nose, crown, chest, shoulder, throat])
    follows = skin_follows(points, CHIN)
    np.testing.assert_allclose(follows[:4], [1, 1, 0, 0])
    assert 0.1 < follows[4] < 0.9
    assert (cloth_follows(points, CHIN) <= follows).all()
    ends = np.array([[1.0, y, -1.0] for y in (0.5, -1.5, -3.2)])
    crown_hair, middle, tips = hair_follows(ends, CHIN)
    assert crown_hair == 1 > middle > tips == 0
