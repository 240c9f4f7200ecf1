"""Recordings and photos to shards of tracked, cropped, matted frames."""

import json
import logging
import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from tqdm import tqdm

from real3d.face.crop import CropWindow, crop_image, crop_landmarks, portrait_window
from real3d.face.matte import refine_matte
from real3d.face.tracking import FaceTracker, PersonSegmenter, TrackedFace
from real3d.training.shards import TrackedClip, TrackedFrame, encode_webp, write_shard

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class PrepareConfig:
    """How frames are chosen and stored."""

    data: Path
    """Folder with clips.jsonl, orbits.jsonl, portraits.jsonl and the files they name."""
    out: Path
    """Folder of the shards."""
    split: str = "train"
    """Rows of the manifests to take."""
    real_frames: int = 16
    """Frames a clip that shows true motion."""
    generated_frames: int = 8
    """Frames a clip that a model generated."""
    orbit_frames: int = 22
    """Frames a camera sweep."""
    clip_px: int = 384
    """Side of the stored crops of recordings."""
    still_px: int = 448
    """Side of the stored crops of photos."""
    alpha_px: int = 192
    """Side of the stored mattes."""
    quality: int = 84
    """WebP quality of pictures."""
    smallest_crop: float = 1.5
    """Drop a crop that is smaller than this many face heights."""
    workers: int = 2
    """Processes."""


class _Worker:
    """A tracker and a segmenter of one process."""

    def __init__(self, config: PrepareConfig):
        cv2.setNumThreads(1)
        import torch

        torch.set_num_threads(1)
        self.config, self.tracker, self.segmenter = config, FaceTracker(), PersonSegmenter()

    def frame(
        self, image: np.ndarray, face: TrackedFace, window: CropWindow, size: int
    ) -> TrackedFrame:
        crop = crop_image(image, window, size)
        guide = cv2.resize(crop, (256, 256), interpolation=cv2.INTER_AREA)
        alpha = refine_matte(guide, self.segmenter.segment(guide))
        small = cv2.resize(alpha, (self.config.alpha_px,) * 2, interpolation=cv2.INTER_AREA)
        return TrackedFrame(
            encode_webp(crop, self.config.quality),
            encode_webp((small * 255 + 0.5).astype(np.uint8), 80),
            crop_landmarks(face.landmarks_px, window),
            face.coefficients,
        )

    def window(self, face: TrackedFace, image: np.ndarray) -> CropWindow | None:
        window = portrait_window(face, image.shape[1], image.shape[0], largest_share=1)
        large = window.side_px >= max(self.config.smallest_crop * face.height_px, 170)
        return window if large else None

    def still(self, path: Path, kind: str) -> TrackedClip | None:
        image = cv2.imread(str(path))
        faces = [] if image is None else self.tracker.track(image := image[..., ::-1])
        window = self.window(faces[0], image) if faces else None
        if window is None:
            return None
        frame = self.frame(image, faces[0], window, self.config.still_px)
        return TrackedClip(path.stem, kind, [frame])

    def clip(self, path: Path, kind: str, count: int) -> TrackedClip | None:
        """A few frames spread over a recording, cropped by one window that stands still."""
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            total = round(container.duration / av.time_base * stream.average_rate)
            chosen = set(np.linspace(0, max(total - 2, 0), count).astype(int).tolist())
            pictures = [
                frame.to_ndarray(format="rgb24")
                for number, frame in enumerate(container.decode(stream))
                if number in chosen
            ]
        tracked = [(p, faces[0]) for p in pictures if (faces := self.tracker.track(p))]
        if len(tracked) < 3:
            return None
        middle = TrackedFace(
            np.median([f.landmarks_px for _, f in tracked], 0), tracked[0][1].coefficients
        )
        window = self.window(middle, pictures[0])
        if window is None:
            return None
        reach = 0.6 * middle.height_px
        centre = np.array(middle.box_px).reshape(2, 2).mean(0)
        near = [
            (p, f)
            for p, f in tracked
            if np.abs(np.array(f.box_px).reshape(2, 2).mean(0) - centre).max() < reach
        ]
        frames = [self.frame(p, f, window, self.config.clip_px) for p, f in near]
        return TrackedClip(path.stem, kind, frames) if len(frames) >= 3 else None


_WORKER: _Worker | None = None


def _start(config: PrepareConfig) -> None:
    global _WORKER
    _WORKER = _Worker(config)


def _one(job: tuple[Path, str, int]) -> TrackedClip | None:
    path, kind, count = job
    try:
        return _WORKER.still(path, kind) if count == 1 else _WORKER.clip(path, kind, count)
    except (av.FFmpegError, OSError) as error:
        _LOG.warning("%s left out: %s", path.name, error)
        return None


def _rows(config: PrepareConfig, name: str) -> Iterator[dict]:
    for line in (config.data / f"{name}.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row["split"] == config.split:
            yield row


def _jobs(config: PrepareConfig, name: str) -> list[tuple[Path, str, int]]:
    folder, rows = config.data / name, _rows(config, name)
    if name == "portraits":
        return [(folder / row["file"], f"still-{row['tier']}", 1) for row in rows]
    if name == "orbits":
        return [(folder / row["file"], "orbit", config.orbit_frames) for row in rows]
    counts = {True: config.real_frames, False: config.generated_frames}
    return [
        (folder / row["file"], "real" if row["real"] else "generated", counts[row["real"]])
        for row in rows
        if row.get("style") in (None, "photo")
    ]


def prepare(config: PrepareConfig) -> None:
    """Write clips.npz, orbits.npz and portraits.npz; a shard that exists is kept."""
    config.out.mkdir(parents=True, exist_ok=True)
    for name in ("clips", "orbits", "portraits"):
        target = config.out / f"{name}.npz"
        if target.exists():
            continue
        jobs = _jobs(config, name)
        context = multiprocessing.get_context("spawn")
        with context.Pool(config.workers, _start, (config,)) as pool:
            tracked = pool.imap(_one, jobs, chunksize=4)
            clips = [clip for clip in tqdm(tracked, name, len(jobs)) if clip is not None]
        frames = write_shard(target, clips)
        _LOG.info("%s: %d of %d recordings, %d frames", target, len(clips), len(jobs), frames)
