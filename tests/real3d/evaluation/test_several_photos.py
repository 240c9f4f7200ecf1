from dataclasses import replace

import pytest

from real3d.errors import Real3DError
from real3d.evaluation.protocol import Protocol
from real3d.evaluation.several_photos import SEVERAL_STRIP, SOURCE_COUNTS, measure_several

pytestmark = pytest.mark.usefixtures("no_tracker")
PROTOCOL = Protocol(sizes=(64,), every=6)


def test_sources_are_spread_and_are_no_targets(write_clip, subject, observer, instruments):
    asked = []

    def build(portraits):
        asked.append(len(portraits))
        return subject

    counting = replace(instruments, build=build)
    result, rows = measure_several(write_clip("a.mp4", [128] * 80), counting, PROTOCOL)
    assert asked == list(SOURCE_COUNTS)
    assert result.targets == 6
    assert set(result.scores) == {"1", "2", "4"}
    assert result.scores["4"]["psnr_db"] > 30
    assert [len(row) for row in rows] == [len(SEVERAL_STRIP)]


def test_a_short_recording_is_refused(write_clip, instruments):
    with pytest.raises(Real3DError, match="are needed for 4 sources"):
        measure_several(write_clip("a.mp4", [128] * 30), instruments, PROTOCOL)
