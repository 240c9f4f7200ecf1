"""Camera sweeps beyond where a face is seen: cameras interpolated along the sweep, and checked.

A sweep turns the head about one axis of the camera frame, R(t) = exp(θ(t) a) R₀, and the point that
it turns about stays where it is, T(t) = c + R(t) p. Axis a, p and c come from frames that show the
face well (anchors), θ between them from its course before and behind the gap. Two checks keep
guesses out: landmarks of frames that were tracked but are no anchors must be where the sweep puts
them, and what moves in the pictures (Lucas-Kanade) must move as the mesh does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from scipy.interpolate import PchipInterpolator

from real3d.camera import Camera
from real3d.face.template import NECK, SKIN
from real3d.fitting import cpu_fitter, fit_frames
from real3d.rotation import euler_from_rotation, rotation_from_vector

ANCHOR_DEG = 48.0
"""Up to this yaw the tracker is trusted."""
_FEWEST_ANCHORS = 6
_SHORTEST_RUN = 4
"""Frames in a row that show a face; fewer may be a face seen in hair."""
_LARGEST_TILT_DEG = 4.0
"""Median angle between the anchors and a turn about one axis."""
_LARGEST_DRIFT = 0.04
"""Median distance of the anchors' heads from where the turn puts them, head units."""
_SPEED_RATIO = 2.0
"""The speed over a gap may differ so much from that at its ends."""
_SLOWEST_DEG = 1.0
"""Turn a frame below which a face is lost for another reason than the sweep."""
_HELD_OUT_PERCENT = 8.0
"""Median distance of tracked landmarks from where the sweep puts them, % of the face's width."""
_POINTS, _FLOW_MATCHES = 300, 25
_LARGEST_FLOW_MISS = 0.35
"""Median miss of the pictures' motion, as a share of the motion."""
_NOT_FROZEN = 0.09
"""Deviation of coefficients over the anchors from which an expression is not frozen."""


@dataclass(frozen=True)
class Sweep:
    """What is known of a sweep's N frames."""

    identity: torch.Tensor
    """(1, 478, 3)."""
    coefficients: torch.Tensor
    """(1, 52): the frozen expression."""
    camera: Camera
    """Of all N frames; without meaning before the first and behind the last anchor."""
    yaw_deg: np.ndarray
    """(N,); NaN where the camera has no meaning."""
    trusted: np.ndarray
    """(N,) bool: frames without a tracked face whose camera has passed the checks."""
    held_out_percent: float
    """Of the first check; NaN where no frame was left for it."""
    flow_miss: float
    """Of the second: the median over the trusted frames."""

    def landmarks(self, frames: np.ndarray) -> np.ndarray:
        """(F, 478, 3) float32 where the mesh has the landmarks in some frames, as tracked ones."""
        template = cpu_fitter().template
        camera = self.camera[torch.from_numpy(frames)]
        vertices = template.posed(self.identity, self.coefficients).expand(len(frames), -1, -1)
        points = camera.project(template.posed_landmarks(vertices))
        points[..., 2] *= camera.scale[:, None]
        return points.numpy()


class NoSweep(Exception):
    """Why the frames are no sweep that can be completed."""


@torch.no_grad()
def complete_sweep(
    pictures: Sequence[np.ndarray],
    landmarks: np.ndarray,
    coefficients: np.ndarray,
    farthest_deg: float = 95.0,
) -> Sweep:
    """Cameras of N frames, at a steady rate, of a head whose expression is frozen.

    pictures: N of (S, S, 3) uint8. landmarks (N, 478, 3) normalised over them and coefficients
    (N, 52) as tracked, NaN where no face was found. Frames turned further than farthest_deg are
    not trusted.

    Raises NoSweep, with the reason, where the head does not turn steadily about one axis.
    """
    seen = np.flatnonzero(np.isfinite(landmarks).all((1, 2)))
    if len(seen) < _FEWEST_ANCHORS:
        raise NoSweep("the face is hardly seen")
    points, tracked = (torch.from_numpy(x[seen]).float() for x in (landmarks, coefficients))
    fitter = cpu_fitter()
    own = fitter.source(points, tracked)
    frontal = int(euler_from_rotation(own.camera.rotation)[:, :2].norm(dim=-1).argmin())
    identity = own.identity[frontal : frontal + 1]
    fit = fit_frames(identity, points, tracked)
    yaw = torch.rad2deg(euler_from_rotation(fit.camera.rotation)[:, 0]).numpy()
    anchors = (np.abs(yaw) <= ANCHOR_DEG) & _in_runs(seen)
    if anchors.sum() < _FEWEST_ANCHORS:
        raise NoSweep("the face is hardly seen from the front")
    if tracked[torch.from_numpy(anchors)].std(0).mean() > _NOT_FROZEN:
        raise NoSweep("the expression is not frozen")
    which = torch.from_numpy(np.flatnonzero(anchors))
    camera = _turned(
        fit.camera[which],
        seen[anchors],
        len(pictures),
        frontal_row=int(np.abs(yaw[anchors]).argmin()),
    )
    expression = fit.coefficients[which].median(0).values[None]
    all_yaw = torch.rad2deg(euler_from_rotation(camera.rotation)[:, 0]).numpy()
    all_yaw[: seen[anchors][0]] = all_yaw[seen[anchors][-1] + 1 :] = np.nan
    sweep = Sweep(
        identity, expression, camera, all_yaw, np.zeros(len(pictures), bool), np.nan, np.nan
    )
    held_out = seen[~anchors & (np.abs(yaw) <= 65) & np.isfinite(all_yaw[seen])]
    error = _held_out_error(sweep, held_out, landmarks)
    if error > _HELD_OUT_PERCENT:
        raise NoSweep(f"tracked landmarks are {error:.0f} % of the face's width elsewhere")
    return _checked_by_flow(sweep, pictures, seen, farthest_deg, error)


def _in_runs(frames: np.ndarray) -> np.ndarray:
    """(A,) bool: rising frames (A,) that stand in a row of several; others may be mistakes."""
    rows = np.split(np.arange(len(frames)), np.flatnonzero(np.diff(frames) > 1) + 1)
    kept = [row for row in rows if len(row) >= _SHORTEST_RUN]
    return np.isin(np.arange(len(frames)), np.concatenate(kept) if kept else [])


def _turned(anchors: Camera, frames: np.ndarray, count: int, frontal_row: int) -> Camera:
    """The cameras of all frames, from anchors at some of them."""
    start = anchors.rotation[frontal_row]
    vectors = _vectors(anchors.rotation @ start.mT)
    axis = np.linalg.svd(vectors)[2][0]
    theta = vectors @ axis
    straight = rotation_from_vector(torch.from_numpy(theta[:, None] * axis).float()) @ start
    tilt = _angle_deg(straight, anchors.rotation)
    if np.median(tilt) > _LARGEST_TILT_DEG:
        raise NoSweep(f"the head turns about more than one axis ({np.median(tilt):.0f}° apart)")
    course = PchipInterpolator(frames, _unwrapped(theta, frames), extrapolate=False)(
        np.arange(count)
    )
    course = np.nan_to_num(course)  # outside: nobody looks there
    rotation = rotation_from_vector(torch.from_numpy(course[:, None] * axis).float()) @ start
    # T = c + R p: three equations a frame for p and c.
    left = np.concatenate(
        [anchors.rotation.numpy(), np.tile(np.eye(3), (len(frames), 1, 1))], -1
    ).reshape(-1, 6)
    left[:, 0] = 0  # beside the axis: hardly told from c by anchors, and far off at profile
    solved = np.linalg.lstsq(left, anchors.translation.numpy().reshape(-1), rcond=None)[0]
    drift = np.linalg.norm(
        (left @ solved).reshape(-1, 3)[:, :2] - anchors.translation.numpy()[:, :2], axis=1
    )
    if np.median(drift) > _LARGEST_DRIFT:
        raise NoSweep(f"the head does not keep its place ({np.median(drift):.2f} units)")
    place = rotation.numpy() @ solved[:3] + solved[3:]
    return Camera(rotation, torch.from_numpy(place).float())


def _unwrapped(theta: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Angles (A,) of rising frames (A,) without jumps: gaps go on as they began and ended.

    Raises NoSweep where the speed over a gap is another than that at its ends.
    """
    steps = np.diff(theta)
    steps = (steps + np.pi) % (2 * np.pi) - np.pi
    lengths = np.diff(frames)
    usual = lengths <= max(2, 2 * int(np.median(lengths)))
    for gap in np.flatnonzero(~usual):
        near = [k for k in (*range(gap - 3, gap), *range(gap + 1, gap + 4)) if 0 <= k < len(steps)]
        speeds = np.array([steps[k] / lengths[k] for k in near if usual[k]])
        speed = float(np.median(speeds)) if len(speeds) else 0.0
        if abs(speed) < np.radians(_SLOWEST_DEG) or (np.sign(speeds) != np.sign(speed)).any():
            raise NoSweep("the face is lost while the head does not turn steadily")
        turns = round((speed * lengths[gap] - steps[gap]) / (2 * np.pi))
        steps[gap] += 2 * np.pi * turns
        ratio = steps[gap] / (lengths[gap] * speed)
        if not 1 / _SPEED_RATIO <= ratio <= _SPEED_RATIO:
            raise NoSweep(f"the speed in a gap is {ratio:.1f} times that at its ends")
    return theta[0] + np.concatenate([[0], np.cumsum(steps)])


def _held_out_error(sweep: Sweep, frames: np.ndarray, landmarks: np.ndarray) -> float:
    """Median over tracked frames that are no anchors, % of the face's width; NaN without any."""
    if not len(frames):
        return float("nan")
    wanted = sweep.landmarks(frames)[..., :2]
    width = np.ptp(landmarks[..., 0], axis=1)
    distance = np.linalg.norm(wanted - landmarks[frames][..., :2], axis=-1).mean(-1)
    return float(100 * np.median(distance) / np.nanmax(width))


def _checked_by_flow(
    sweep: Sweep,
    pictures: Sequence[np.ndarray],
    seen: np.ndarray,
    farthest_deg: float,
    held_out: float,
) -> Sweep:
    """Trust frames next to the seen ones, and from there on, as long as the pictures agree."""
    near = np.abs(sweep.yaw_deg) <= farthest_deg
    trusted, missed = np.zeros(len(pictures), bool), []
    known = np.zeros(len(pictures), bool)
    known[seen] = True
    for way in (1, -1):
        frames = range(len(pictures))[::way]
        for k in frames:
            before = k - way
            if known[k] or not 0 <= before < len(pictures) or not near[k]:
                continue
            if not (known[before] or trusted[before]) or not np.isfinite(sweep.yaw_deg[before]):
                continue
            miss = flow_miss(sweep, before, k, pictures)
            if miss <= _LARGEST_FLOW_MISS:
                trusted[k] = True
                missed.append(miss)
    return Sweep(
        sweep.identity,
        sweep.coefficients,
        sweep.camera,
        sweep.yaw_deg,
        trusted,
        held_out,
        float(np.median(missed)) if missed else float("nan"),
    )


@torch.no_grad()
def flow_miss(sweep: Sweep, first: int, second: int, pictures: Sequence[np.ndarray]) -> float:
    """Median miss of the mesh's motion between two frames, as a share of it; infinite if unknown.

    Points on the skin that face the camera in both frames are followed by Lucas-Kanade there and
    back.
    """
    template, size = cpu_fitter().template, len(pictures[first])
    vertices = template.posed(sweep.identity, sweep.coefficients)
    skin = (template.vertex_layer == SKIN) | (template.vertex_layer == NECK)
    normals, facing, places = template.normals(vertices), skin, []
    for k in (first, second):
        camera = sweep.camera[k : k + 1]
        facing = facing & ((normals @ camera.rotation.mT)[0, :, 2] < -0.35)
        places.append(((camera.project(vertices)[0, :, :2] + 1) * size / 2 - 0.5).numpy())
    inside = (np.abs(places[0] - size / 2) < 0.47 * size).all(1) & facing.numpy()
    chosen = np.flatnonzero(inside)
    chosen = chosen[:: max(1, len(chosen) // _POINTS)]
    if len(chosen) < _FLOW_MATCHES:
        return float("inf")
    grey = [
        cv2.cvtColor(np.ascontiguousarray(pictures[k]), cv2.COLOR_RGB2GRAY) for k in (first, second)
    ]
    start, guess = (np.ascontiguousarray(p[chosen], np.float32) for p in places)
    # From half of the way: where the pictures say nothing, half of the motion is missed.
    options = {
        "winSize": (21, 21),
        "maxLevel": 2,
        "flags": cv2.OPTFLOW_USE_INITIAL_FLOW,
        "minEigThreshold": 1e-3,
    }
    half = (start + guess) / 2
    found, good, _ = cv2.calcOpticalFlowPyrLK(grey[0], grey[1], start, half.copy(), **options)
    half = (start + found) / 2
    back, also, _ = cv2.calcOpticalFlowPyrLK(grey[1], grey[0], found, half, **options)
    agree = (good & also).astype(bool)[:, 0] & (np.linalg.norm(back - start, axis=1) < 1)
    if agree.sum() < _FLOW_MATCHES:
        return float("inf")
    motion = np.linalg.norm((guess - start)[agree], axis=1)
    return float(np.median(np.linalg.norm((found - guess)[agree], axis=1)) / np.median(motion))


def _vectors(rotations: torch.Tensor) -> np.ndarray:
    """(B, 3) axis times angle of rotations (B, 3, 3)."""
    return np.stack([cv2.Rodrigues(r.double().numpy())[0][:, 0] for r in rotations])


def _angle_deg(a: torch.Tensor, b: torch.Tensor) -> np.ndarray:
    cosine = ((a * b).sum((-1, -2)) - 1) / 2
    return torch.rad2deg(torch.arccos(cosine.clamp(-1, 1))).numpy()
