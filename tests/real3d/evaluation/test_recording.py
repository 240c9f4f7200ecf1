import numpy as np
import pytest

from real3d.errors import Real3DError
from real3d.evaluation.recording import inside_slices, person_ends, read_recording
from real3d.face.crop import CropWindow

pytestmark = pytest.mark.usefixtures("no_tracker")


def test_the_first_face_is_the_source_and_faceless_frames_are_counted(write_clip, observer):
    path = write_clip("a.mp4", [0, 0, *[128] * 7, 0, *[128] * 6])
    recording = read_recording(path, observer, (64,), every=1, seconds=9)
    assert (recording.skipped_frames, recording.faceless, recording.after_cut) == (2, 1, 0)
    assert recording.steps.tolist() == [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13]
    assert len(recording.pictures) == len(recording.seen) == 12


def test_every_third_frame_of_so_many_seconds(write_clip, observer):
    path = write_clip("a.mp4", [128] * 30)
    recording = read_recording(path, observer, (64, 128), every=3, seconds=1.5)
    assert recording.steps.tolist() == [1, 2, 3, 4, 5]
    assert recording.times_s == pytest.approx([0.3, 0.6, 0.9, 1.2, 1.5])
    assert [len(recording.pictures[0][size]) for size in (64, 128)] == [64, 128]
    assert recording.inside[128] == (slice(0, 128), slice(0, 128))


def test_what_follows_a_cut_to_somebody_else_is_left_out(write_clip, observer):
    path = write_clip("a.mp4", [*[128] * 6, *[250] * 5])
    recording = read_recording(path, observer, (64,), every=1, seconds=9)
    assert (len(recording.pictures), recording.after_cut) == (5, 5)


def test_a_recording_without_faces_is_refused(write_clip, observer):
    with pytest.raises(Real3DError, match="no face found"):
        read_recording(write_clip("a.mp4", [0] * 25), observer, (64,), 3, 20)
    with pytest.raises(Real3DError, match="no face in it"):
        read_recording(write_clip("b.mp4", [0] * 5), observer, (64,), 3, 20)
    with pytest.raises(Real3DError, match="seen in 1 of the compared"):
        read_recording(write_clip("c.mp4", [128, 128, 0, 0, 0]), observer, (64,), 1, 20)


def test_a_grimace_is_no_cut():
    one, other = np.eye(128)[:2]
    assert person_ends(np.stack([one, one, other, one, one])) == 5
    assert person_ends(np.stack([one, one, one, other, other])) == 3
    assert person_ends(np.full((4, 128), np.nan)) == 4


def test_inside_is_what_the_recording_covers():
    window = CropWindow(50, 60, 120)  # reaches 10 px over the left, right; not over top, bottom
    rows, columns = inside_slices(window, width=100, height=200, size=240)
    assert (rows, columns) == (slice(0, 240), slice(20, 220))
