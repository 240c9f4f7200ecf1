"""The portrait crop: a square window that puts the face at 42 % of its height."""

from dataclasses import dataclass

import cv2
import numpy as np

from real3d.face.tracking import TrackedFace

FACE_SHARE = 0.42
"""Height of the face over the height of the crop."""
TIGHTEST_SHARE = 0.55
"""The same where a photo ends close to the face."""
LANDMARK_COUNT = 478
_STREAK = 0.03
"""Share of a crop's side over which what is repeated beyond a picture's border gets smooth."""


@dataclass(frozen=True)
class CropWindow:
    """A square of a picture: centre and side in pixels. It may reach over the border."""

    centre_x_px: float
    centre_y_px: float
    side_px: float

    def matrix(self, size: int) -> np.ndarray:
        """(2, 3) affine map from pixels (corner origin) to those of a crop of that size."""
        k = size / self.side_px
        return np.array(
            [
                [k, 0, size / 2 - k * self.centre_x_px],
                [0, k, size / 2 - k * self.centre_y_px],
            ]
        )


def portrait_window(
    face: TrackedFace, width: int, height: int, largest_share: float = TIGHTEST_SHARE
) -> CropWindow:
    """Window around a face of a picture of that size in pixels.

    It moves to stay inside the picture, and shrinks until the face has largest_share of its height
    (1: until nothing is outside); what is still missing beyond the border repeats it.
    """
    x0, y0, x1, y1 = face.box_px
    wanted, tightest = face.height_px / FACE_SHARE, face.height_px / largest_share
    side = min(wanted, max(tightest, min(width, height)))

    def place(centre: float, length: int) -> float:
        return length / 2 if side >= length else float(np.clip(centre, side / 2, length - side / 2))

    return CropWindow(place((x0 + x1) / 2, width), place((y0 + y1) / 2, height), side)


def crop_image(image: np.ndarray, window: CropWindow, size: int) -> np.ndarray:
    """(size, size, C) crop of an (H, W, C) uint8 picture; its border is repeated outwards."""
    scale = size / window.side_px
    matrix = window.matrix(size)
    if scale < 0.6:  # area-average first, so that the linear look-up does not alias
        factor = 1 / np.floor(1 / scale)
        image = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        matrix[:, :2] /= factor
    matrix[:, 2] += matrix[:, :2].sum(1) / 2 - 0.5  # OpenCV's origin is the first pixel's centre
    flags = cv2.INTER_LINEAR if scale < 1 else cv2.INTER_CUBIC
    return cv2.warpAffine(image, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def without_streaks(crop: np.ndarray, window: CropWindow, width: int, height: int) -> np.ndarray:
    """A crop (S, S, 3) of a picture of that size in pixels, smooth where it repeats the border."""
    size = len(crop)
    corners = np.array([[0, 0, 1], [width, height, 1]]) @ window.matrix(size).T
    pixels = np.arange(size) + 0.5
    beyond = np.maximum(corners[:1].T - pixels, pixels - corners[1:].T)  # (2, S) over x and y
    away = np.maximum(beyond[0][None], beyond[1][:, None])
    share = np.clip(away / (_STREAK * size), 0, 1)[..., None]
    if not share.any():
        return crop
    smooth = cv2.GaussianBlur(crop, (0, 0), _STREAK * size, borderType=cv2.BORDER_REPLICATE)
    return np.uint8(crop + share * (smooth.astype(np.float32) - crop) + 0.5)


def crop_landmarks(landmarks_px: np.ndarray, window: CropWindow) -> np.ndarray:
    """Landmarks (..., 3) in pixels to the crop's normalised coordinates, [-1, 1] over its side."""
    centre = np.array([window.centre_x_px, window.centre_y_px, 0], np.float32)
    return ((landmarks_px - centre) * (2 / window.side_px)).astype(np.float32)
