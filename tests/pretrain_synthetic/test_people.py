"""Rendered people: labels agree with the pixels."""

import numpy as np
import pytest

from pretrain_synthetic.heads import PARTS
from pretrain_synthetic.people import BACKGROUND_DEPTH, DEPTH_SIZE, LABEL_SIZE
from real3d.training.shards import write_shard


def test_the_face_fills_its_share_of_every_view(views):
    assert len(views) == 12
    for view in views:
        skin = view.landmarks[:468]
        assert 0.32 < np.ptp(skin[:, 1]) / 2 < 0.56
        middle = (skin[:, :2].min(0) + skin[:, :2].max(0)) / 2
        assert np.abs(middle).max() < 0.32


def test_irises_are_drawn_where_the_landmarks_say(views):
    view = views[0]  # neutral, near frontal
    x, y = ((view.landmarks[[468, 473], :2] + 1) / 2 * len(view.frame.parts)).astype(int).T
    assert (view.frame.parts[y, x] == PARTS.index("eyes")).all()


def test_the_nose_tip_is_at_depth_zero(views):
    for view in views[::2]:
        x, y = ((view.landmarks[4, :2] + 1) / 2 * len(view.frame.depth)).astype(int)
        assert view.frame.parts[y, x] == PARTS.index("face")
        assert view.frame.depth[y, x] == pytest.approx(view.nose_depth_dm, abs=0.08)


def test_coefficients_are_in_arkit_order(views):
    from real3d.face.blendshapes import ARKIT_NAMES

    jaw, blink = (ARKIT_NAMES.index(n) for n in ("jawOpen", "eyeBlinkLeft"))
    assert views[2].coefficients[jaw] >= 0.35
    assert views[4].coefficients[blink] >= 0.7
    assert not views[0].coefficients.any()


def test_frames_carry_small_labels_and_make_a_shard(views, studio, tmp_path):
    clip = studio.film(seed=0, index=1)
    frame = clip.frames[0]
    assert frame.depth.shape == (DEPTH_SIZE, DEPTH_SIZE)
    assert frame.depth.max() == BACKGROUND_DEPTH
    assert abs(float(frame.depth.min())) < 0.5
    np.testing.assert_array_equal(frame.landmarks, views[0].landmarks.astype(np.float32))
    assert write_shard(tmp_path / "people.npz", [clip]) == 12
    with np.load(tmp_path / "people.npz") as z:
        assert z["depth"].shape == (12, DEPTH_SIZE, DEPTH_SIZE)
    assert LABEL_SIZE == 192


def test_the_same_seed_gives_the_same_pixels(views, studio):
    again = next(studio.views(seed=0, index=1))
    np.testing.assert_array_equal(again.frame.rgb, views[0].frame.rgb)
