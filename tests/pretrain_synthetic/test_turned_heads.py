"""What a method shows against the truth of a shot."""

from types import SimpleNamespace

import numpy as np
import pytest

from pretrain_synthetic.heads import PARTS
from pretrain_synthetic.heads.scene import Frame
from pretrain_synthetic.shown import Shot, Shown
from pretrain_synthetic.turned_heads import compare_view, depths_of


@pytest.fixture
def frame() -> Frame:
    """64 px: a tilted face with a strip of hair above, before a background."""
    parts = np.zeros((64, 64), np.uint8)
    parts[8:16, 8:56], parts[16:56, 8:56] = PARTS.index("hair"), PARTS.index("face")
    depth = np.where(parts > 0, 12 + 0.01 * np.arange(64)[None], 0).astype(np.float32)
    rgb = np.where(parts[..., None] > 0, 120, 10).astype(np.uint8).repeat(3, 2)
    return Frame(rgb, (parts > 0).astype(np.float32), parts, depth)


def test_the_truth_itself_scores_without_error(frame):
    shot = Shot(SimpleNamespace(frame=frame), 12.0)
    depth = np.where(frame.depth > 0, frame.depth, np.nan)[::2, ::2] + 3.0
    found = compare_view(Shown(frame.rgb[::2, ::2], frame.alpha[::2, ::2], depth), shot, 2.0)
    assert found.psnr_db > 60
    assert found.alpha_iou == 1
    assert found.depth_percent < 0.05
    assert found.normals_deg < 2.5  # three decimetres further away
    copied = compare_view(Shown(frame.rgb[::2, ::2]), shot, 2.0)
    assert np.isnan([copied.alpha_iou, copied.depth_percent, copied.normals_deg]).all()


def test_depth_is_known_where_all_of_a_ray_is_and_normals_leave_out_hair(frame):
    depths = depths_of(np.full((16, 16), 12.0), frame, 2.0)
    assert np.isnan(depths.true[:2]).all()
    assert np.isfinite(depths.true[2:14, 2:14]).all()
    assert depths.true[8, 8] == pytest.approx(12 + 0.01 * 33.5)
    assert depths.head[3, 8]
    assert not depths.face[3, 8]
    assert depths.face[8, 8]
