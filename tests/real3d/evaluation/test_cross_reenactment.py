import math
from dataclasses import replace

import numpy as np
import pytest

from real3d.evaluation.cross_reenactment import (
    farthest,
    measure_cross,
    read_driver,
)
from real3d.evaluation.protocol import Protocol
from real3d.evaluation.subject import COPY, METHODS, OURS

PROTOCOL = Protocol(sizes=(64,), every=1)


def test_farthest_takes_the_ends_before_the_middle():
    shapes = np.array([0.1, 0.2, 5.0, 2.4, 2.5])[:, None, None] * np.ones((1, 4, 2))
    assert farthest(shapes, np.zeros((4, 2)), 2) == [2, 4]
    assert farthest(shapes, np.zeros((4, 2)), 9) == [0, 1, 2, 3, 4]


@pytest.fixture
def driver(write_clip, observer, no_tracker):
    return read_driver(write_clip("she.mp4", [128] * 40), observer, PROTOCOL)


def test_a_driver_is_a_few_frames(driver):
    assert len(driver.pictures) == len(driver.seen.coefficients) == 3


def test_a_perfect_subject_takes_over_what_it_is_told(driver, subject, observer, portrait):
    smiling = replace(driver.seen, coefficients=np.full((3, 52), 0.4, np.float32))
    driver = replace(driver, seen=smiling)
    result, rows = measure_cross(
        portrait, subject, observer, "me", {"she": driver, "none": None}, (64, 64)
    )
    scores = result.scores["she"]
    assert set(scores) == set(METHODS)
    assert scores[OURS]["expression_error"] == pytest.approx(0, abs=1e-6)
    assert scores[OURS]["pose_error_deg"] == pytest.approx(0, abs=1e-3)
    assert scores[OURS]["identity"] == pytest.approx(1)
    assert scores[COPY]["expression_error"] == pytest.approx(0.4)
    assert [picture.shape for picture in rows[0]] == [(64, 64, 3)] * 5
    assert result.drivers == ["she", "none"]
    assert rows[0][4].min() == 255


def test_a_lost_face_has_no_pose(driver, subject, observer, portrait):
    draw = subject.frames
    subject.frames = lambda *arguments: (picture * 0 for picture in draw(*arguments))
    result, _ = measure_cross(portrait, subject, observer, "me", {"she": driver}, (64, 64))
    assert math.isnan(result.scores["she"][OURS]["pose_error_deg"])
    assert result.scores["she"][OURS]["tracked_share"] == 0
