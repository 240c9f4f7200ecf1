import math
from dataclasses import replace

import numpy as np
import pytest

from real3d.evaluation.edits import EDIT_COLUMNS, EDITS, lid_closure, measure_edits
from real3d.evaluation.subject import OURS, WARP


def test_what_is_asked_is_what_a_perfect_subject_shows(subject, observer, portrait):
    result, rows = measure_edits(portrait, subject, observer, "me", 64)
    for edit in EDITS:
        rest, seen = result.seen[OURS][edit.name]
        assert rest == pytest.approx(0)
        assert seen == pytest.approx(edit.asked_of_watched)
        assert result.identity[OURS][edit.name] == pytest.approx(1)
        share = result.motion_share[OURS][edit.name]
        assert math.isnan(share) or share == pytest.approx(1)
    assert result.lid_closure[OURS] == pytest.approx([1, 1])
    assert set(result.gaze_share[OURS]) == {
        "gaze left",
        "gaze right",
        "gaze up",
        "gaze down",
    }
    assert result.gaze_share[OURS]["gaze left"] == pytest.approx([1, 1])
    assert [len(row) for row in rows] == [len(EDIT_COLUMNS)] * 2
    assert rows[0][0].shape == (64, 64, 3)


def test_pictures_may_be_larger_than_what_is_looked_at(subject, observer, portrait):
    result, rows = measure_edits(portrait, subject, observer, "me", 64, 128)
    assert rows[0][0].shape == rows[0][5].shape == (128, 128, 3)
    assert result.seen[OURS]["jaw open"][1] == pytest.approx(0.6)


def test_an_open_mouth_closes(subject, observer, portrait):
    shut, _ = measure_edits(portrait, subject, observer, "me", 64)
    assert math.isnan(shut.lip_closure[OURS])
    points = portrait.landmarks.copy()
    points[[13, 82, 312], 1] -= 0.2
    result, _ = measure_edits(replace(portrait, landmarks=points), subject, observer, "me", 64)
    assert result.lip_closure[OURS] == pytest.approx(1, abs=1e-5)


def test_half_of_it_is_half(subject, observer, portrait):
    subject.share = 0.5
    result, _ = measure_edits(portrait, subject, observer, "me", 64)
    assert result.lid_closure[OURS] == pytest.approx([0.5, 0.5])
    assert result.lid_closure[WARP] == pytest.approx([1, 1])
    assert result.gaze_share[OURS]["gaze right"] == pytest.approx([0.5, 0.5])
    assert result.seen[OURS]["jaw open"][1] == pytest.approx(0.3)


def test_a_face_that_is_lost_is_not_a_number(subject, observer, portrait):
    draw = subject.frames
    subject.frames = lambda *arguments: (picture * 0 for picture in draw(*arguments))
    result, _ = measure_edits(portrait, subject, observer, "me", 64)
    assert math.isnan(result.seen[OURS]["smile"][1])
    assert np.isnan(result.lid_closure[OURS]).all()


def test_an_eye_that_is_shut_already_cannot_close(observer):
    open_eyes = observer.observe(np.full((8, 8, 3), 128, np.uint8)).landmarks
    shut = open_eyes.copy()
    shut[[159, 158, 160]] = shut[[145, 153, 144]]
    assert lid_closure(open_eyes, shut) == pytest.approx([0, 1])
    assert np.isnan(lid_closure(shut, shut)[1])
