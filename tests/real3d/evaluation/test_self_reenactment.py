import math
from dataclasses import replace

import numpy as np
import pytest

from real3d.evaluation.feature_distance import FeatureDistance
from real3d.evaluation.protocol import Protocol
from real3d.evaluation.self_reenactment import STRIP, measure_clip
from real3d.evaluation.subject import COPY, METHODS, OURS, WARP
from real3d.training.perceptual import VGGFeatures

pytestmark = pytest.mark.usefixtures("no_tracker")
PROTOCOL = Protocol(sizes=(64,), every=1)


def test_scores_of_a_still_recording(write_clip, instruments):
    path = write_clip("a.mp4", [128] * 8)
    result, pictures = measure_clip(path, instruments, PROTOCOL)
    assert (result.name, result.frames, result.faceless) == ("a", 7, 0)
    assert set(result.scores) == set(METHODS)
    for method in METHODS:
        scores = result.scores[method]
        assert scores["psnr_db"] > 20
        assert scores["landmark_error_percent"] == pytest.approx(0)
        assert scores["pose_error_deg"] == pytest.approx(0, abs=1e-3)
        assert scores["identity_to_source"] == pytest.approx(1)
        assert scores["tracked_share"] == 1
        assert math.isnan(scores["hed_vgg"])
        curve = result.curves[method]["psnr_db"]
        assert np.mean(curve) == pytest.approx(scores["psnr_db"], abs=1e-4)
    assert result.times_s == pytest.approx([k / 10 for k in range(1, 8)])
    assert [len(row) for row in pictures] == [len(STRIP)] * 2
    assert pictures[0][0].shape == (64, 64, 3)


def test_the_smaller_size_is_the_larger_one_reduced(write_clip, instruments):
    path = write_clip("a.mp4", [128] * 6)
    alone, _ = measure_clip(path, instruments, PROTOCOL)
    both, pictures = measure_clip(path, instruments, replace(PROTOCOL, sizes=(64, 128)))
    assert pictures[0][0].shape == (128, 128, 3)
    ours = both.scores[OURS]
    assert ours["psnr_db_128"] == pytest.approx(ours["psnr_db"])
    assert ours["psnr_db"] > alone.scores[OURS]["psnr_db"]  # a mark of 4 px instead of 8
    for key in ("ssim", "blendshape_error", "identity_to_target"):
        assert ours[key] == pytest.approx(alone.scores[OURS][key], abs=0.02)


def test_the_distance_of_features_where_there_is_a_network(write_clip, instruments):
    path = write_clip("a.mp4", [128] * 6)
    seeing = replace(instruments, features=FeatureDistance(VGGFeatures()))
    result, _ = measure_clip(path, seeing, PROTOCOL)
    assert 0 < result.scores[OURS]["hed_vgg"] < 1


def test_a_method_whose_face_is_lost_has_no_landmark_error(write_clip, subject, instruments):
    def dark_warp(method, pose, size, drawn=subject.frames):
        for picture in drawn(method, pose, size):
            yield picture * 0 if method == WARP else picture

    subject.frames = dark_warp
    result, _ = measure_clip(write_clip("a.mp4", [128] * 6), instruments, PROTOCOL)
    assert result.scores[WARP]["tracked_share"] == 0
    assert math.isnan(result.scores[WARP]["landmark_error_percent"])
    assert math.isnan(result.scores[WARP]["jitter_percent"])
    assert result.scores[WARP]["psnr_db"] < 10 < result.scores[OURS]["psnr_db"]


def test_the_copied_source_is_looked_at_once(write_clip, subject, observer, instruments):
    copied = next(subject.frames(COPY, subject.turned([(0, 0)]), 64))

    def frames(method, pose, size, drawn=subject.frames):
        yield from drawn(method, pose, size) if method != COPY else [copied] * 6

    subject.frames = frames
    measure_clip(write_clip("a.mp4", [128] * 7), instruments, PROTOCOL)
    assert observer.count == 6 + 1 + 6 + 6 + 1  # targets, source, ours, warp, copy
