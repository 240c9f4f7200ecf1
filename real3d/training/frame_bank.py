"""Training frames in memory: decoded pictures, labels, and the fits of every clip's faces."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from real3d.camera import Camera
from real3d.face.fit import Fitter
from real3d.networks.geometry import Head
from real3d.training.shards import Shard

_CHUNK = 1024
_THREADS = 16


@dataclass(frozen=True)
class Fits:
    """Faces of clips: identity from one frame of a clip (a row), held over the clip's frames."""

    source: np.ndarray
    """(R,) the frame that gave a row's identity."""
    clip: np.ndarray
    """(R,)."""
    identity: Tensor
    """(R, 478, 3)."""
    first: np.ndarray
    """(R + 1,) where a row's frames begin in what follows."""
    camera: Camera
    """(E) one for every frame of every row."""
    coefficients: Tensor
    """(E, 52)."""

    def head(self, row: np.ndarray, entry: np.ndarray) -> Head:
        """Heads of entries that belong to rows."""
        device = self.identity.device
        row, entry = (torch.from_numpy(np.asarray(k)).to(device) for k in (row, entry))
        return Head(self.identity[row], self.coefficients[entry], self.camera[entry])


@dataclass(frozen=True)
class FrameBank:
    """One shard, decoded, on a device."""

    images: Tensor
    """(F, 3, H, H) uint8."""
    alphas: Tensor
    """(F, 1, h, h) uint8."""
    landmarks: Tensor
    """(F, 478, 3)."""
    clips: list[range]
    kinds: np.ndarray
    """(clips,) kind of each clip."""
    fits: Fits
    parts: Tensor | None
    """(F, 1, h, h) uint8 part labels of synthetic heads."""
    depth: Tensor | None
    """(F, 1, 64, 64) float16."""

    @classmethod
    def decoded(
        cls, shard: Shard, fitter: Fitter, sources: int, device: torch.device, limit: int = 0
    ) -> "FrameBank":
        """Decode a shard and fit its faces.

        sources frames of each clip give identities. limit: take only so many clips; 0: all.
        """
        clips = shard.clips[: limit or None]
        count = clips[-1][-1] + 1

        def pictures(field: str) -> Tensor:
            with ThreadPoolExecutor(_THREADS) as pool:
                found = list(pool.map(lambda k: shard.decode(field, k), range(count)))
            stacked = torch.from_numpy(np.stack(found))
            stacked = stacked.permute(0, 3, 1, 2) if stacked.ndim == 4 else stacked[:, None]
            return stacked.contiguous().to(device)

        landmarks = torch.from_numpy(shard.arrays["landmarks"][:count]).to(device)
        coefficients = torch.from_numpy(shard.arrays["coefficients"][:count]).to(device)
        synthetic = "parts" in shard.arrays
        return cls(
            pictures("image"),
            pictures("alpha"),
            landmarks,
            clips,
            shard.arrays["kind"][: len(clips)],
            fit_clips(fitter, clips, landmarks, coefficients, sources),
            pictures("parts") if synthetic else None,
            torch.from_numpy(shard.arrays["depth"][:count])[:, None].to(device)
            if synthetic
            else None,
        )


def joined_banks(one: FrameBank, other: FrameBank) -> FrameBank:
    """Two banks of one kind as one; their pictures have the same size."""
    frames, clips = len(one.images), len(one.clips)
    a, b = one.fits, other.fits
    fits = Fits(
        np.concatenate([a.source, b.source + frames]),
        np.concatenate([a.clip, b.clip + clips]),
        torch.cat([a.identity, b.identity]),
        np.concatenate([a.first, b.first[1:] + a.first[-1]]),
        Camera.cat([a.camera, b.camera]),
        torch.cat([a.coefficients, b.coefficients]),
    )
    moved = [range(c.start + frames, c.stop + frames) for c in other.clips]

    def both(name: str) -> Tensor | None:
        pair = getattr(one, name), getattr(other, name)
        return None if pair[0] is None else torch.cat(pair)

    return FrameBank(
        both("images"), both("alphas"), both("landmarks"), one.clips + moved,
        np.concatenate([one.kinds, other.kinds]), fits, both("parts"), both("depth"),
    )  # fmt: skip


@torch.no_grad()
def fit_clips(
    fitter: Fitter, clips: list[range], landmarks: Tensor, coefficients: Tensor, sources: int
) -> Fits:
    """Fit every clip from up to so many of its frames, evenly spread."""
    rows = [
        (frame, number)
        for number, clip in enumerate(clips)
        for frame in {clip[(2 * k + 1) * len(clip) // (2 * sources)] for k in range(sources)}
    ]
    source, clip = np.array(rows).T
    lengths = np.array([len(clips[c]) for c in clip])
    first = np.concatenate([[0], np.cumsum(lengths)])
    frame = np.concatenate([np.array(clips[c]) for c in clip])
    row = np.repeat(np.arange(len(source)), lengths)

    def on_device(indices: np.ndarray) -> Tensor:
        return torch.from_numpy(indices).to(landmarks.device)

    own = on_device(source)
    identity = torch.cat(
        [fitter.source(landmarks[k], coefficients[k]).identity for k in own.split(_CHUNK)]
    )
    found = [
        fitter.driven(identity[r], landmarks[f], coefficients[f])
        for r, f in zip(on_device(row).split(_CHUNK), on_device(frame).split(_CHUNK), strict=True)
    ]
    camera = Camera.cat([fit.camera for fit in found])
    return Fits(
        source, clip, identity, first, camera, torch.cat([fit.coefficients for fit in found])
    )
