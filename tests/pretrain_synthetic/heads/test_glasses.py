"""Glasses: before the eyes, over the ears, on some people."""

import numpy as np

from pretrain_synthetic.heads.glasses import SHARE, Frame, glasses, sample_frame
from pretrain_synthetic.heads.procedural import TemplateAssets
from pretrain_synthetic.landmarks import LandmarkPlaces


def test_rims_surround_the_irises_and_temples_reach_the_ears():
    assets = TemplateAssets()
    neutral = assets.body["mean"]
    neutral = neutral - neutral[
        np.concatenate([assets.body["eye_left"], assets.body["eye_right"]])
    ].mean(0)
    landmarks = LandmarkPlaces.on(assets).points(assets, neutral)
    frame = Frame(0.5, 0.4, 3.0, 0.02, np.array([0.1, 0.1, 0.1]))
    (mesh,) = glasses(frame, neutral, landmarks)
    points = mesh.vertex[:, :3]
    assert np.isfinite(mesh.vertex).all()
    assert mesh.triangle.max() < len(points)
    assert points[:, 2].max() > landmarks[[468, 473], 2].max()
    assert points[:, 2].min() < -0.8
    for iris in landmarks[[468, 473]]:
        near = points[np.abs(points[:, 0] - iris[0]) < 0.1]
        assert near[:, 1].min() < iris[1] - 0.1
        assert near[:, 1].max() > iris[1] + 0.1


def test_a_share_of_people_wears_them():
    rng = np.random.default_rng(0)
    worn = np.mean([sample_frame(rng) is not None for _ in range(2000)])
    assert abs(worn - SHARE) < 0.03
