"""Training data on disk: tracked frames of people, packed into a few large files.

A shard is an uncompressed npz. Pictures stay encoded (WebP), so that 10,000 frames take about
150 MB; frames of one clip stand one after the other.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np


@dataclass(frozen=True)
class TrackedFrame:
    """One cropped picture of a person with what is known of it."""

    image_webp: bytes
    alpha_webp: bytes
    landmarks: np.ndarray
    """(478, 3) float32, normalised crop coordinates (real3d.face.crop)."""
    coefficients: np.ndarray
    """(52,) float32."""
    parts_png: bytes = b""
    """Part labels of synthetic heads.

    0 background, 1 hair, 2 face, 3 body, 4 clothes, 5 eyes, 6 mouth.
    """
    depth: np.ndarray | None = None
    """(64, 64) float16 depth of synthetic heads behind the nose tip, head units; 9 = background."""


@dataclass(frozen=True)
class TrackedClip:
    """Frames of one person in one recording (a still is a clip of one frame)."""

    name: str
    kind: str
    """"real", "generated", "orbit", "still" or "synthetic"."""
    frames: list[TrackedFrame]


def encode_webp(image: np.ndarray, quality: int) -> bytes:
    """(H, W, 3) RGB or (H, W) grey uint8 to WebP."""
    picture = image[..., ::-1] if image.ndim == 3 else image
    return cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, quality])[1].tobytes()


def write_shard(path: Path, clips: Iterable[TrackedClip]) -> int:
    """Write clips to path; returns the number of frames."""
    clips = list(clips)
    frames = [frame for clip in clips for frame in clip.frames]
    arrays = {
        "first": np.cumsum([0] + [len(clip.frames) for clip in clips]),
        "name": np.array([clip.name for clip in clips]),
        "kind": np.array([clip.kind for clip in clips]),
        "landmarks": np.stack([f.landmarks for f in frames]).astype(np.float32),
        "coefficients": np.stack([f.coefficients for f in frames]).astype(np.float32),
    }
    blobs = {"image": "image_webp", "alpha": "alpha_webp"}
    if frames[0].parts_png:
        blobs["parts"] = "parts_png"
        arrays["depth"] = np.stack([f.depth for f in frames]).astype(np.float16)
    for key, field in blobs.items():
        encoded = [getattr(f, field) for f in frames]
        arrays[key] = np.frombuffer(b"".join(encoded), np.uint8)
        arrays[key + "_offset"] = np.cumsum([0] + [len(e) for e in encoded])
    beside = path.with_suffix(".part.npz")
    np.savez(beside, **arrays)
    beside.replace(path)
    return len(frames)


@dataclass(frozen=True)
class Shard:
    """A shard in memory, pictures still encoded."""

    arrays: dict[str, np.ndarray]

    @classmethod
    def read(cls, path: Path) -> "Shard":
        """Read a file that write_shard wrote."""
        with np.load(path) as file:
            return cls({name: file[name] for name in file.files})

    def __len__(self) -> int:
        return len(self.arrays["landmarks"])

    @property
    def clips(self) -> list[range]:
        """The frames of each clip."""
        return [range(a, b) for a, b in pairwise(self.arrays["first"].tolist())]

    def only(self, kinds: Collection[str]) -> "Shard":
        """The clips of some kinds; maybe none."""
        arrays, clips = self.arrays, np.isin(self.arrays["kind"], list(kinds))
        lengths = np.diff(arrays["first"])
        frames = np.flatnonzero(np.repeat(clips, lengths))
        chosen = {"first": np.cumsum([0, *lengths[clips]])}
        for name, array in arrays.items():
            if f"{name}_offset" in arrays:
                ends = arrays[f"{name}_offset"]
                blobs = [array[ends[k] : ends[k + 1]] for k in frames]
                chosen[name] = np.concatenate([*blobs, array[:0]])
                chosen[f"{name}_offset"] = np.cumsum([0, *map(len, blobs)])
            elif name not in chosen and not name.endswith("_offset"):
                chosen[name] = array[clips if name in ("name", "kind") else frames]
        return Shard(chosen)

    def decode(self, field: str, frame: int) -> np.ndarray:
        """One picture of "image" (H, W, 3 RGB), "alpha" or "parts" (H, W), uint8."""
        first, last = self.arrays[field + "_offset"][frame : frame + 2]
        flag = cv2.IMREAD_COLOR if field == "image" else cv2.IMREAD_GRAYSCALE
        picture = cv2.imdecode(self.arrays[field][first:last], flag)
        return picture[..., ::-1] if field == "image" else picture
