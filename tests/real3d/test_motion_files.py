import json

import numpy as np
import pytest

from real3d.errors import Real3DError
from real3d.face.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from real3d.motion import Motion


@pytest.fixture
def motion():
    rng = np.random.default_rng(0)
    return Motion(
        rng.random((40, 52)), rng.normal(0, 0.3, (40, 3)), rng.normal(0, 2, (40, 3)), 30000 / 1001
    )


@pytest.mark.parametrize("suffix", [".csv", ".json", ".npz"])
def test_round_trip(tmp_path, motion, suffix):
    read = Motion.read(motion.write(tmp_path / f"m{suffix}"))
    for name in ("coefficients", "rotation", "translation"):
        np.testing.assert_allclose(getattr(read, name), getattr(motion, name), rtol=1e-5, atol=1e-6)
    assert read.fps == pytest.approx(motion.fps, rel=1e-8)
    assert Motion.read(tmp_path / f"m{suffix}", fps=50).fps == 50


def _live_link(path, stamps):
    """A recording as the app writes it: 61 values, jawOpen rises by .01 a row."""
    names = [name[0].upper() + name[1:] for name in ARKIT_NAMES]
    eyes = [f"{s}Eye{a}" for s in ("Left", "Right") for a in ("Yaw", "Pitch", "Roll")]
    header = ["Timecode", "BlendshapeCount", *names, "HeadYaw", "HeadPitch", "HeadRoll", *eyes]
    lines = [",".join(header)]
    for index, stamp in enumerate(stamps):
        row = ["0.0"] * 61
        row[ARKIT_INDEX["jawOpen"]] = f"{index * 0.01:.4f}"
        row[52] = "0.25"
        lines.append(",".join([stamp, "61", *row]))
    path.write_text("\n".join(lines) + "\n")
    return path


def test_live_link_recording_at_60(tmp_path):
    stamps = [f"12:30:{50 + k // 60:02d}:{k % 60:02d}.{k % 7:03d}" for k in range(90)]
    read = Motion.read(_live_link(tmp_path / "take.csv", stamps))
    assert (read.fps, len(read)) == (60.0, 90)
    assert read.rotation[5, 0] == pytest.approx(0.25)
    assert read.coefficients[10, ARKIT_INDEX["jawOpen"]] == pytest.approx(0.1, abs=1e-3)


def test_dropped_frames_keep_their_time(tmp_path):
    kept = [k for k in range(90) if k not in (20, 21)]
    stamps = [f"00:00:{k // 30:02d}:{k % 30:02d}.000" for k in kept]
    read = Motion.read(_live_link(tmp_path / "take.csv", stamps))
    assert (read.fps, len(read)) == (30.0, 90)
    jaw = read.coefficients[:, ARKIT_INDEX["jawOpen"]]
    assert jaw[19] < jaw[20] < jaw[21] < jaw[22]


def test_json_with_some_names(tmp_path):
    content = {"format": "real3d.motion", "version": 1, "fps": 25, "names": ["jawOpen"]}
    (tmp_path / "m.json").write_text(json.dumps({**content, "coefficients": [[0.1], [0.2]]}))
    read = Motion.read(tmp_path / "m.json")
    assert read.coefficients[1, ARKIT_INDEX["jawOpen"]] == pytest.approx(0.2)
    assert read.coefficients.sum() == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.csv", "a,b\n1,2\n", "52 of the 52 ARKit columns are missing"),
        ("a.csv", "\n", "ARKit columns are missing"),
        ("a.csv", b"\xff\xfe\x00\x01" * 9, "not a readable csv"),
        ("a.json", "{", "not a readable json"),
        ("a.json", "[1, 2]", "wanted a JSON object"),
        ("a.json", '{"format": "real3d.motion", "version": 9}', "version 9"),
        ("a.json", '{"format": "real3d.motion", "version": 1}', "not a readable json"),
        ("a.json", "[" * 200_000, "not a readable json"),
        ("a.csv", "Timecode," + "9" * 200_000, "not a readable csv"),
        ("a.npz", "text", "not a readable npz"),
        ("a.txt", "text", "not a motion file"),
        ("a.csv", "", "is empty"),
    ],
)
def test_hostile_files(tmp_path, name, content, found):
    data = content if isinstance(content, bytes) else content.encode()
    (tmp_path / name).write_bytes(data)
    with pytest.raises(Real3DError, match=found) as caught:
        Motion.read(tmp_path / name)
    assert str(caught.value).startswith(str(tmp_path / name))


@pytest.mark.parametrize("cell", ["nan", "much", ""])
def test_a_bad_cell(tmp_path, cell):
    path = _live_link(tmp_path / "take.csv", ["00:00:00:01.000", "00:00:00:02.000"])
    path.write_text(path.read_text().replace("0.25", cell))
    with pytest.raises(Real3DError, match=r"take\.csv: "):
        Motion.read(path)


def test_header_without_rows_and_short_rows(tmp_path):
    with pytest.raises(Real3DError, match="no frames"):
        Motion.read(_live_link(tmp_path / "take.csv", []))
    path = _live_link(tmp_path / "take.csv", ["00:00:00:01.000"])
    path.write_text(path.read_text() + "00:00:00:02.000,61,0.5\n")
    with pytest.raises(Real3DError, match="line 3 has 3 columns"):
        Motion.read(path)


def test_a_pickle_is_not_opened(tmp_path):
    np.savez(tmp_path / "m.npz", coefficients=np.array([{"a": 1}], object), fps=25)
    with pytest.raises(Real3DError, match="not a readable npz"):
        Motion.read(tmp_path / "m.npz")


def test_unknown_ending(tmp_path, motion):
    with pytest.raises(Real3DError, match=r"\.csv, \.json or \.npz"):
        motion.write(tmp_path / "m.bvh")
