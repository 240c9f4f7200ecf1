"""Numbers for pictures and landmarks; every function is pure and per frame.

Landmarks are MediaPipe's 478 in normalised picture coordinates (x right, y down in [-1, 1], z away
at the same scale). "Left" and "right" eyes are the subject's, as in ARKit.
"""

import cv2
import numpy as np

_RIGHT_CORNERS, _LEFT_CORNERS = (33, 133), (362, 263)
"""Eye corners, the one further left in the image first."""
_RIGHT_IRIS, _LEFT_IRIS = 468, 473
_RIGHT_LIDS = ((159, 145), (158, 153), (160, 144))
_LEFT_LIDS = ((386, 374), (385, 380), (387, 373))
"""Pairs of an upper and a lower lid's landmark."""
_LIPS = ((13, 14), (82, 87), (312, 317))
"""Pairs of the upper and the lower lip's inner rim."""
_MOUTH_CORNERS = (61, 291)
_TEMPLES = (127, 356)
_FIRM = (10, 151, 9, 8, 168, 6, 197, 195, 5, 4, 33, 133, 362, 263, 127, 356, 234, 454)
"""Forehead, nose, eye corners and temples: what hardly moves in the head frame."""
_SMALLEST_ERROR = 1e-10
_SSIM_WINDOW = (11, 11)
_SSIM_C1, _SSIM_C2 = np.float32(0.01**2), np.float32(0.03**2)


def psnr_db(found: np.ndarray, wanted: np.ndarray) -> float:
    """Peak signal to noise ratio of two (H, W, 3) uint8 pictures in dB, at most 100."""
    error = np.square((found.astype(np.float64) - wanted) / 255).mean()
    return float(-10 * np.log10(max(error, _SMALLEST_ERROR)))


def ssim(found: np.ndarray, wanted: np.ndarray) -> float:
    """Structural similarity (Wang et al. 2004, 11 px window) of two (H, W, 3) uint8 pictures.

    The mean over pixels and channels; as kornia.metrics.ssim, in a quarter of its time.
    """

    def local_mean(x: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(x, _SSIM_WINDOW, 1.5, borderType=cv2.BORDER_REFLECT_101)

    a, b = (np.float32(1 / 255) * picture for picture in (found, wanted))
    mean_a, mean_b = local_mean(a), local_mean(b)
    square_a, square_b, product = mean_a * mean_a, mean_b * mean_b, mean_a * mean_b
    variance_a, variance_b = local_mean(a * a) - square_a, local_mean(b * b) - square_b
    covariance = local_mean(a * b) - product
    above = (2 * product + _SSIM_C1) * (2 * covariance + _SSIM_C2)
    below = (square_a + square_b + _SSIM_C1) * (variance_a + variance_b + _SSIM_C2)
    return float((above / below).mean(dtype=np.float64))


def interocular(landmarks: np.ndarray) -> np.ndarray:
    """(...) distance in space between the eye centres of landmarks (..., 478, 3).

    A centre is the middle of two eye corners. In space, so that a turned head keeps its size.
    """
    right = landmarks[..., _RIGHT_CORNERS, :].mean(-2)
    left = landmarks[..., _LEFT_CORNERS, :].mean(-2)
    return np.linalg.norm(left - right, axis=-1)


def landmark_error_percent(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(...) mean distance in the picture of landmarks (..., 478, 3), % of wanted's interocular."""
    distance = np.linalg.norm((found - wanted)[..., :2], axis=-1).mean(-1)
    return 100 * distance / interocular(wanted)


def jitter_percent(landmarks: np.ndarray) -> float:
    """Mean length of the second difference over time of (T, 478, 3), in % of interocular.

    Frames that are not finite (nobody was tracked) leave out the differences they are part of. NaN
    where fewer than three frames follow each other.
    """
    second = landmarks[2:] - 2 * landmarks[1:-1] + landmarks[:-2]
    lengths = np.linalg.norm(second[..., :2], axis=-1).mean(-1) / interocular(landmarks[1:-1])
    lengths = lengths[np.isfinite(lengths)]
    return float(100 * lengths.mean()) if len(lengths) else float("nan")


def pose_error_deg(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(...) angle in degrees between the heads of landmarks (..., 478, 3); NaN where not finite.

    The rotation that best carries the firm landmarks of one onto the other (Umeyama 1991).
    """
    a, b = (x[..., _FIRM, :].astype(np.float64) for x in (found, wanted))
    a, b = a - a.mean(-2, keepdims=True), b - b.mean(-2, keepdims=True)
    covariance = a.mT @ b
    finite = np.isfinite(covariance).all((-1, -2))
    u, _, vh = np.linalg.svd(np.where(finite[..., None, None], covariance, np.eye(3)))
    u[..., -1] *= np.sign(np.linalg.det(u @ vh))[..., None]
    cosine = (np.trace(u @ vh, axis1=-2, axis2=-1) - 1) / 2
    return np.where(finite, np.degrees(np.arccos(cosine.clip(-1, 1))), np.nan)


def blendshape_error(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(...) mean absolute difference of coefficients (..., 52) over the 51 that are tracked."""
    return np.abs(found - wanted)[..., :-1].mean(-1)


def lid_gap(landmarks: np.ndarray) -> np.ndarray:
    """(..., 2) how far the left and the right eye are open, in eye widths."""
    gaps = []
    for lids, corners in ((_LEFT_LIDS, _LEFT_CORNERS), (_RIGHT_LIDS, _RIGHT_CORNERS)):
        upper, lower = np.array(lids).T
        gap = np.linalg.norm(landmarks[..., upper, :2] - landmarks[..., lower, :2], axis=-1)
        gaps.append(gap.mean(-1) / np.linalg.norm(_eye_axis(landmarks, corners), axis=-1))
    return np.stack(gaps, -1)


def iris_offset(landmarks: np.ndarray) -> np.ndarray:
    """(..., 2) where the left and the right iris stand between the eye's corners, in eye widths.

    0 is the middle; positive is towards the right of the image. landmarks: (..., 478, ≥2).
    """
    offsets = []
    for iris, corners in ((_LEFT_IRIS, _LEFT_CORNERS), (_RIGHT_IRIS, _RIGHT_CORNERS)):
        axis = _eye_axis(landmarks, corners)
        from_middle = landmarks[..., iris, :2] - landmarks[..., corners, :2].mean(-2)
        offsets.append((from_middle * axis).sum(-1) / np.square(axis).sum(-1))
    return np.stack(offsets, -1)


def iris_rise(landmarks: np.ndarray) -> np.ndarray:
    """(..., 2) how far the left and the right iris stand above the eye's corners, in eye widths.

    landmarks: (..., 478, ≥2). Up is across the line between the corners.
    """
    rises = []
    for iris, corners in ((_LEFT_IRIS, _LEFT_CORNERS), (_RIGHT_IRIS, _RIGHT_CORNERS)):
        axis = _eye_axis(landmarks, corners)
        up = np.stack([axis[..., 1], -axis[..., 0]], -1)
        from_middle = landmarks[..., iris, :2] - landmarks[..., corners, :2].mean(-2)
        rises.append((from_middle * up).sum(-1) / np.square(axis).sum(-1))
    return np.stack(rises, -1)


def lip_gap(landmarks: np.ndarray) -> np.ndarray:
    """(...) how far the lips of landmarks (..., 478, ≥2) are apart, in mouth widths."""
    upper, lower = np.array(_LIPS).T
    gap = np.linalg.norm(landmarks[..., upper, :2] - landmarks[..., lower, :2], axis=-1).mean(-1)
    left, right = (landmarks[..., corner, :2] for corner in _MOUTH_CORNERS)
    return gap / np.linalg.norm(right - left, axis=-1)


def yaw_deg(landmarks: np.ndarray) -> np.ndarray:
    """(...) rough yaw of landmarks (..., 478, 3) from the depth of the temples, degrees.

    Positive turns the face towards the right of the image.
    """
    first, second = (landmarks[..., temple, :] for temple in _TEMPLES)
    across = second - first
    return np.degrees(np.arctan2(across[..., 2], across[..., 0]))


def motion_share(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(...) how much of wanted motion (..., N, 2) of points was found: 1 is all of it.

    Least squares: the motion found is this share of the one wanted, and something unlike it.
    """
    found, wanted = found[..., :2], wanted[..., :2]
    return (found * wanted).sum((-1, -2)) / np.square(wanted).sum((-1, -2))


def rotation_angle_deg(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(...) angle in degrees between rotation matrices (..., 3, 3)."""
    cosine = (np.einsum("...ij,...ij->...", a, b) - 1) / 2
    return np.degrees(np.arccos(cosine.clip(-1, 1)))


def _eye_axis(landmarks: np.ndarray, corners: tuple[int, int]) -> np.ndarray:
    return landmarks[..., corners[1], :2] - landmarks[..., corners[0], :2]
