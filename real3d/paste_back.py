"""A rendered crop put back into the photo that it came from."""

import cv2
import numpy as np

from real3d.face.crop import CropWindow

FEATHER = 0.12
"""Share of the crop's side over which it blends into the photo."""


class PasteBack:
    """Puts crops of one window back into one photo; what stays the same is computed once."""

    def __init__(self, original: np.ndarray, window: CropWindow, longest_px: int = 1920):
        """original: (H, W, 3) uint8; frames are reduced to longest_px, with even sides."""
        height, width = original.shape[:2]
        scale = min(1.0, longest_px / max(height, width))
        width, height = (max(2, round(side * scale) // 2 * 2) for side in (width, height))
        photo = cv2.resize(original, (width, height), interpolation=cv2.INTER_AREA)
        share = np.array([width, height]) / (original.shape[1], original.shape[0])
        centre = np.array([window.centre_x_px, window.centre_y_px])
        self._corner, self._side = (centre - window.side_px / 2) * share, window.side_px * share
        x0, y0 = np.floor(self._corner).clip(0).astype(int)
        x1, y1 = np.ceil(self._corner + self._side).astype(int)
        self._region = np.s_[y0 : min(y1, height), x0 : min(x1, width)]
        self._photo, self.size = photo, (width, height)
        self._weight = self._feather((x0, y0), photo[self._region].shape[:2])

    def _feather(self, corner: tuple[int, int], shape: tuple[int, int]) -> np.ndarray:
        """(h, w, 1) float32: 1 inside, 0 at those edges of the crop that the photo reaches over."""
        ramps = []
        for axis, length in ((1, shape[0]), (0, shape[1])):
            place = (np.arange(length) + 0.5 + corner[axis] - self._corner[axis]) / self._side[axis]
            reach = self.size[axis] / self._side[axis]
            start = -self._corner[axis] / self._side[axis]  # where the photo starts in the crop
            low = place / FEATHER if start < 0 else np.ones(length)
            high = (1 - place) / FEATHER if start + reach > 1 else np.ones(length)
            ramps.append(np.clip(np.minimum(low, high), 0, 1))
        weight = np.minimum(ramps[0][:, None], ramps[1][None])
        return (weight**2 * (3 - 2 * weight))[..., None].astype(np.float32)

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 photo with the (size, size, 3) uint8 crop in its place."""
        ys, xs = self._region
        scale = frame.shape[0] / self._side
        offset = (np.array([xs.start, ys.start]) + 0.5 - self._corner) * scale - 0.5
        matrix = np.array([[scale[0], 0, offset[0]], [0, scale[1], offset[1]]])
        height, width = self._weight.shape[:2]
        flags = (cv2.INTER_LINEAR if scale[0] > 1 else cv2.INTER_CUBIC) | cv2.WARP_INVERSE_MAP
        if scale[0] > 1.5:  # reduce first, so that the look-up does not alias
            factor = 1 / np.floor(scale[0] + 0.5)
            frame = cv2.resize(frame, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
            matrix = matrix * factor
            matrix[:, 2] += (factor - 1) / 2
        crop = cv2.warpAffine(
            frame, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE
        )
        whole = self._photo.copy()
        mixed = whole[self._region] * (1 - self._weight) + crop * self._weight
        whole[self._region] = (mixed + 0.5).astype(np.uint8)
        return whole
