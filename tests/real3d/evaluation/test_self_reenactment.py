import math

import pytest

from real3d.evaluation.self_reenactment import STRIP, measure_clip
from real3d.evaluation.subject import COPY, METHODS, OURS, WARP

pytestmark = pytest.mark.usefixtures("no_tracker")


def test_scores_of_a_still_recording(write_clip, subject, observer):
    path = write_clip("a.mp4", [128] * 8)
    result, pictures = measure_clip(path, lambda _: subject, observer, size=64, every=1)
    assert (result.name, result.frames, result.faceless) == ("a", 7, 0)
    assert set(result.scores) == set(METHODS)
    for method in METHODS:
        scores = result.scores[method]
        assert scores["psnr_db"] > 30
        assert scores["landmark_error_percent"] == pytest.approx(0)
        assert scores["pose_error_deg"] == pytest.approx(0, abs=1e-3)
        assert scores["identity_to_source"] == pytest.approx(1)
        assert scores["tracked_share"] == 1
    assert [len(row) for row in pictures] == [len(STRIP)]
    assert pictures[0][0].shape == (64, 64, 3)


def test_a_method_whose_face_is_lost_has_no_landmark_error(write_clip, subject, observer):
    def dark_warp(method, pose, size, drawn=subject.frames):
        for picture in drawn(method, pose, size):
            yield picture * 0 if method == WARP else picture

    subject.frames = dark_warp
    path = write_clip("a.mp4", [128] * 6)
    result, _ = measure_clip(path, lambda _: subject, observer, size=64, every=1)
    assert result.scores[WARP]["tracked_share"] == 0
    assert math.isnan(result.scores[WARP]["landmark_error_percent"])
    assert math.isnan(result.scores[WARP]["jitter_percent"])
    assert result.scores[WARP]["psnr_db"] < 10 < result.scores[OURS]["psnr_db"]


def test_the_copied_source_is_looked_at_once(write_clip, subject, observer):
    copied = next(subject.frames(COPY, subject.turned([(0, 0)]), 64))

    def frames(method, pose, size, drawn=subject.frames):
        yield from drawn(method, pose, size) if method != COPY else [copied] * 6

    subject.frames = frames
    path = write_clip("a.mp4", [128] * 7)
    measure_clip(path, lambda _: subject, observer, size=64, every=1)
    assert observer.count == 6 + 1 + 6 + 6 + 1  # targets, source, ours, warp, copy
