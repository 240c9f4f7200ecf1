import numpy as np
import pytest

from real3d.errors import Real3DError
from real3d.evaluation import metrics
from real3d.evaluation.orbits import ORBIT_STRIP, measure_orbit
from real3d.evaluation.protocol import Protocol
from real3d.evaluation.subject import METHODS, OURS

pytestmark = pytest.mark.usefixtures("no_tracker")
PROTOCOL = Protocol(sizes=(64,))


def _swing(monkeypatch, *yaws):
    monkeypatch.setattr(metrics, "yaw_deg", lambda landmarks: np.array(yaws, float))


def test_the_frontal_frame_is_seen_from_the_side(write_clip, instruments, monkeypatch):
    _swing(monkeypatch, -70, -50, -20, 3, np.nan, 31, 59, 61)
    result, rows = measure_orbit(write_clip("o.mp4", [128] * 8), instruments, PROTOCOL)
    assert (result.source_yaw_deg, result.yaws_deg) == (3, [-50, 31, 59])
    assert set(result.scores) == set(METHODS)
    assert result.scores[OURS]["psnr_db"] > 25
    assert [len(row) for row in rows] == [len(ORBIT_STRIP)]


@pytest.mark.parametrize(
    ("yaws", "found"),
    [((np.nan, 40, 50, 35), "from the front"), ((0, 10, 20, 45), "in 1 frames")],
)
def test_a_sweep_that_shows_too_little_is_refused(
    write_clip, instruments, monkeypatch, yaws, found
):
    _swing(monkeypatch, *yaws)
    with pytest.raises(Real3DError, match=found):
        measure_orbit(write_clip("o.mp4", [128] * 4), instruments, PROTOCOL)
