import pytest

from real3d.evaluation.subject import OURS, WARP
from real3d.evaluation.views import VIEWS_DEG, measure_views


def test_a_view_has_an_identity_and_a_picture(subject, observer, portrait):
    result, rows = measure_views(portrait, subject, observer, "me", 64)
    assert result.identity[OURS] == pytest.approx([1] * len(VIEWS_DEG))
    assert all(result.tracked[WARP])
    assert result.landmark_error_percent[OURS] == pytest.approx([0] * len(VIEWS_DEG))
    assert [len(row) for row in rows] == [1 + len(VIEWS_DEG)]


def test_views_are_symmetric():
    yaws = [yaw for yaw, pitch in VIEWS_DEG if not pitch]
    assert sorted(-yaw for yaw in yaws) == sorted(yaws)
