"""The report on tracked heads."""

from types import SimpleNamespace

import numpy as np
import pytest

from pretrain_synthetic.heads.scene import Camera
from pretrain_synthetic.heads.turn import HeadTurn
from pretrain_synthetic.track_report import Sighting, face_yaw_deg, report
from real3d.face.blendshapes import ARKIT_INDEX


@pytest.mark.parametrize("yaw", [-50.0, 0.0, 35.0])
def test_a_turned_head_and_a_moved_camera_show_the_same_side(yaw):
    camera = Camera.looking_at(np.zeros(3), 12.0, 0.2, (yaw, 0.0, 0.0))
    assert face_yaw_deg(SimpleNamespace(head_view=camera.view)) == pytest.approx(yaw)
    ahead = Camera.looking_at(np.zeros(3), 12.0, 0.2, (0.0, 0.0, 0.0))
    turned = ahead.view @ HeadTurn(-yaw).matrix()
    assert face_yaw_deg(SimpleNamespace(head_view=turned)) == pytest.approx(yaw)


def test_shares_and_errors_are_those_of_the_views():
    asked, tracked = np.zeros(52), np.zeros(52)
    jaw = ARKIT_INDEX["jawOpen"]
    asked[jaw], tracked[jaw] = 0.8, 0.5
    seen = [Sighting(5, asked, tracked), Sighting(50, asked, None), Sighting(80, asked, None)]
    text = "\n".join(report(seen))
    assert "within ±60°: 50.00 % of 2 views" in text
    assert "| jawOpen | 0.300 | – | 1 | 0.80 | 0.50 |" in text
    assert "tongueOut" not in text
