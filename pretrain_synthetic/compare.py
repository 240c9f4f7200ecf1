"""How far a shown view is from the true one."""

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Score:
    """Of one view; NaN for what was not measured."""

    psnr_db: float
    """Over the true head's pixels: face, ears, hair, eyes, mouth."""
    alpha_iou: float = math.nan
    """Of the whole person, mattes cut at a half."""
    depth_percent: float = math.nan
    """Mean absolute error over the head after the best shift, in % of the head's depth."""
    normals_deg: float = math.nan
    """Mean angle over the face between the normals of both depth maps."""


@dataclass(frozen=True)
class Depths:
    """Found and true depth of one view, pixel by pixel, in one unit of length."""

    found: np.ndarray
    """(n, n) along the view axis from the camera; NaN where nothing was found."""
    true: np.ndarray
    """(n, n); NaN where unknown."""
    head: np.ndarray
    """(n, n) bool: where depth is compared."""
    face: np.ndarray
    """(n, n) bool: where normals are compared. Not in hair: its depth jumps from strand to strand,
    so that its normals say nothing."""
    head_depth: float
    """From the nose to the back of the head."""
    focal: float
    """Focal length in half sides of the picture."""


def score(
    picture: np.ndarray,
    truth: np.ndarray,
    head: np.ndarray,
    mattes: tuple[np.ndarray, np.ndarray] | None = None,
    depths: Depths | None = None,
) -> Score:
    """Scores of picture (h, w, 3) uint8 against truth, inside head (h, w) bool.

    mattes: found and true (h, w) in [0, 1].
    """
    iou = percent = angle = math.nan
    if mattes is not None:
        found, true = (matte > 0.5 for matte in mattes)
        iou = float((found & true).sum() / max((found | true).sum(), 1))
    if depths is not None:
        percent, angle = _depth_percent(depths), _normals_deg(depths)
    return Score(psnr_inside(picture, truth, head), iou, percent, angle)


def psnr_inside(picture: np.ndarray, truth: np.ndarray, region: np.ndarray) -> float:
    """dB between pictures (h, w, 3) uint8 over region (h, w) bool; NaN where that is empty."""
    if not region.any():
        return math.nan
    error = (picture[region].astype(np.float64) - truth[region]) / 255
    return -10 * math.log10(max(float(np.square(error).mean()), 1e-10))


def normals_of(depth: np.ndarray, focal: float) -> np.ndarray:
    """(n, n, 3) unit normals towards the camera (x right, y down, z away) of depth (n, n).

    Central differences of the points that the pixels of a pinhole camera see; NaN at the rim and
    beside pixels without depth. focal: in half sides of the picture.
    """
    steps = (np.arange(len(depth)) + 0.5) * (2 / len(depth)) - 1
    u, v = np.meshgrid(steps, steps)
    points = np.stack([u / focal * depth, v / focal * depth, depth], -1)
    out = np.full(points.shape, np.nan)
    across = points[1:-1, 2:] - points[1:-1, :-2]
    down = points[2:, 1:-1] - points[:-2, 1:-1]
    normal = np.cross(down, across)
    out[1:-1, 1:-1] = normal / np.linalg.norm(normal, axis=-1, keepdims=True)
    return out


def _depth_percent(depths: Depths) -> float:
    behind = (depths.found - depths.true)[depths.head]
    behind = behind[np.isfinite(behind)]
    if not behind.size:
        return math.nan
    return float(np.abs(behind - np.median(behind)).mean() / depths.head_depth * 100)


def _normals_deg(depths: Depths) -> float:
    found, true = (
        normals_of(np.where(depths.face, depth, np.nan), depths.focal)
        for depth in (depths.found, depths.true)
    )
    angle = np.rad2deg(np.arccos(np.clip((found * true).sum(-1), -1, 1)))
    return float(np.nanmean(angle)) if np.isfinite(angle).any() else math.nan
