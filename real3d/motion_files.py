"""Motion in files: Live Link Face CSV, JSON and npz."""

import csv
import io
import json
import re
import zipfile
import zlib
from pathlib import Path

import numpy as np

from real3d.errors import Real3DError
from real3d.face.blendshapes import ARKIT_NAMES
from real3d.files import require_file, require_suffix, written_beside
from real3d.motion import MAX_FPS, Motion, interpolate

SUFFIXES = (".csv", ".json", ".npz")
"""Endings of motion files."""
MAX_BYTES = 1 << 30
_FORMAT, _VERSION = "real3d.motion", 1
_HEAD = ("HeadYaw", "HeadPitch", "HeadRoll")
_EYES = tuple(f"{side}Eye{axis}" for side in ("Left", "Right") for axis in ("Yaw", "Pitch", "Roll"))
_OURS = ("HeadX", "HeadY", "HeadZ", "FramesPerSecond")
"""Columns of ours: centimetres in the camera frame, and the exact rate."""
_TIMECODE = re.compile(r"^(\d+):(\d+):(\d+)[:;](\d+(?:\.\d+)?)$")
_NOMINAL_RATES = (24, 25, 30, 48, 50, 60, 100, 120, 240)
_LIVE_LINK_RATE = 60
_UNREADABLE = (
    ValueError, KeyError, TypeError, EOFError, OSError, NotImplementedError, RecursionError,
    zipfile.BadZipFile, zlib.error, csv.Error,
)  # fmt: skip
"""What readers raise for files that are none."""


def read_motion(path: Path) -> Motion:
    """The motion in a file; its name's ending says the format.

    Raises Real3DError for a missing file, wrong columns, text where numbers belong, NaN, no rows.
    """
    require_file(path, "a motion file (.csv, .json or .npz)")
    readers = {".csv": _read_csv, ".json": _read_json, ".npz": _read_npz}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise Real3DError(f"{path}: not a motion file. Use one ending in .csv, .json or .npz.")
    if path.stat().st_size > MAX_BYTES:
        raise Real3DError(f"{path}: larger than 1 GB. Split the motion.")
    try:
        return reader(path)
    except Real3DError as error:
        raise Real3DError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from error
    except _UNREADABLE as error:
        raise Real3DError(
            f"{path}: not a readable {path.suffix[1:]} motion ({_reason(error)}). "
            "Write one with `real3d track` to see the format."
        ) from error


def _reason(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return text[0][:120] if text else type(error).__name__


def write_motion(motion: Motion, path: Path) -> Path:
    """Write a motion; the name's ending says the format."""
    path = require_suffix(path, SUFFIXES)
    writers = {".csv": _write_csv, ".json": _write_json, ".npz": _write_npz}
    with written_beside(path) as partial:
        writers[path.suffix.lower()](motion, partial)
    return path


def _column(name: str) -> str:
    return name[0].upper() + name[1:]


def _write_csv(motion: Motion, path: Path) -> None:
    names = [_column(name) for name in ARKIT_NAMES]
    count = len(names) + len(_HEAD) + len(_EYES)
    zeros, rate = ["0"] * len(_EYES), f"{motion.fps:.9g}"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Timecode", "BlendshapeCount", *names, *_HEAD, *_EYES, *_OURS])
        for index in range(len(motion)):
            numbers = [f"{v:.6g}" for v in motion.coefficients[index]]
            pose = [f"{v:.6g}" for v in motion.rotation[index]]
            place = [f"{v:.6g}" for v in motion.translation[index]]
            time = _timecode(index / motion.fps, motion.fps)
            writer.writerow([time, count, *numbers, *pose, *zeros, *place, rate])


def _timecode(time_s: float, fps: float) -> str:
    """HH:MM:SS:FF.fff with FF counting the frames of the nominal rate, as Live Link Face does."""
    nominal = round(fps) or 1
    whole = int(time_s + 1e-9)
    frames = min(max(time_s - whole, 0) * nominal, nominal - 0.001)
    minutes, seconds = divmod(whole, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}:{frames:06.3f}"


def _read_csv(path: Path) -> Motion:
    with path.open(newline="", encoding="utf-8-sig", errors="strict") as file:
        rows = csv.reader(file)
        header = [name.strip().lower() for name in next(rows, [])]
        place = {name: k for k, name in enumerate(header)}
        missing = [name for name in ARKIT_NAMES if name.lower() not in place]
        if missing:
            raise Real3DError(
                f"{len(missing)} of the 52 ARKit columns are missing ({', '.join(missing[:3])}, …)."
                " Wanted a Live Link Face recording."
            )
        table = [row for row in rows if row and any(cell.strip() for cell in row)]
    for number, row in enumerate(table, 2):
        if len(row) < len(header):
            raise Real3DError(f"line {number} has {len(row)} columns, the header {len(header)}.")

    def columns(names: tuple[str, ...]) -> np.ndarray:
        if any(name.lower() not in place for name in names):
            return np.zeros((len(table), len(names)), np.float32)
        wanted = [place[name.lower()] for name in names]
        values = [[float(row[k]) for k in wanted] for row in table]
        return np.array(values, np.float32).reshape(len(table), len(names))

    parts = [columns(ARKIT_NAMES), columns(_HEAD), columns(_OURS[:3])]
    if _OURS[3].lower() in place:
        return Motion(*parts, columns(_OURS[3:])[0, 0] if table else 25.0)
    stamps = [row[place["timecode"]] for row in table] if "timecode" in place else []
    return _evenly_timed(parts, _times(stamps))


def _times(stamps: list[str]) -> np.ndarray:
    """Seconds of Live Link Face timecodes, from the first; empty where they cannot be read."""
    found = [_TIMECODE.match(stamp.strip()) for stamp in stamps]
    if len(found) < 2 or not all(found):
        return np.zeros(0)
    numbers = np.array([[float(part) for part in match.groups()] for match in found])
    wraps = len(np.unique(numbers[:, 2])) > 1
    highest = int(numbers[:, 3].max()) + 1 if wraps else _LIVE_LINK_RATE
    rate = next((r for r in _NOMINAL_RATES if r >= highest), highest)
    times = numbers @ np.array([3600, 60, 1, 1 / rate])
    return times - times[0]


def _evenly_timed(parts: list[np.ndarray], times_s: np.ndarray) -> Motion:
    """Rows at a constant rate; Live Link Face drops frames, its timecodes tell."""
    if len(times_s) < 2 or (np.diff(times_s) <= 0).any():
        return Motion(*parts, float(_LIVE_LINK_RATE))
    fps = min(MAX_FPS, float(round(1 / np.median(np.diff(times_s)))) or 1.0)
    wanted = np.arange(round(times_s[-1] * fps) + 1) / fps
    return Motion(*(interpolate(times_s, part, wanted) for part in parts), fps)


def _write_json(motion: Motion, path: Path) -> None:
    content = {
        "format": _FORMAT,
        "version": _VERSION,
        "fps": motion.fps,
        "names": list(ARKIT_NAMES),
        "coefficients": _numbers(motion.coefficients),
        "rotation_rad": _numbers(motion.rotation),
        "translation_cm": _numbers(motion.translation),
    }
    path.write_text(json.dumps(content))


def _numbers(values: np.ndarray) -> list[list[float]]:
    return [[float(f"{v:.6g}") for v in row] for row in values.tolist()]


def _read_json(path: Path) -> Motion:
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise Real3DError(f'wanted a JSON object with "format": "{_FORMAT}".')
    if content.get("version") != _VERSION:
        raise Real3DError(f"version {content.get('version')} is not {_VERSION}. Update real3d.")
    names, given = content["names"], np.array(content["coefficients"], np.float32)
    unknown = sorted(set(names) - set(ARKIT_NAMES))
    if unknown:
        raise Real3DError(f"{unknown[0]!r} is not one of the 52 ARKit names.")
    if given.ndim != 2 or given.shape[1] != len(names):
        raise Real3DError(f"coefficients must be (T, {len(names)}). Got {given.shape}.")
    coefficients = np.zeros((len(given), len(ARKIT_NAMES)), np.float32)
    coefficients[:, [ARKIT_NAMES.index(name) for name in names]] = given
    zeros = np.zeros((len(given), 3), np.float32)
    rotation = np.array(content.get("rotation_rad", zeros), np.float32)
    translation = np.array(content.get("translation_cm", zeros), np.float32)
    return Motion(coefficients, rotation, translation, content["fps"])


def _write_npz(motion: Motion, path: Path) -> None:
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        coefficients=motion.coefficients,
        rotation=motion.rotation,
        translation=motion.translation,
        fps=np.float64(motion.fps),
    )
    path.write_bytes(buffer.getvalue())


def _read_npz(path: Path) -> Motion:
    with np.load(path, allow_pickle=False) as file:
        coefficients = file["coefficients"]
        zeros = np.zeros((len(coefficients), 3), np.float32)
        rotation, translation = file.get("rotation", zeros), file.get("translation", zeros)
        return Motion(coefficients, rotation, translation, float(file["fps"]))
