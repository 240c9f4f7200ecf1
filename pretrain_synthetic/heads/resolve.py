"""From the renderer's buffers to a picture with labels: skin scattering, backdrop, tone curve."""

from dataclasses import dataclass

import cv2
import numpy as np

from pretrain_synthetic.heads.scene import Frame

SKIN = 1
_SCATTER = (1.0, 0.45, 0.25)
"""Width of the blur under the skin for red, green and blue; 1 = a 130th of the picture."""
_SHOULDER = 0.6
_SMOOTH_DM = 0.05
"""Depths of one pixel's samples are averaged when they differ by less."""


@dataclass(frozen=True)
class Buffers:
    """What is drawn, (n, n, ...) samples with row 0 at the top."""

    albedo: np.ndarray
    """(n, n, 3) float32 linear."""
    code: np.ndarray
    """(n, n) uint8 material + 16 · part label; 0 = nothing."""
    diffuse: np.ndarray
    """(n, n, 3) float32 arriving light."""
    specular: np.ndarray
    """(n, n, 3) float32."""
    depth: np.ndarray
    """(n, n) float32 z-depth, decimetres; anything where code is 0."""


def resolve(buffers: Buffers, backdrop: np.ndarray) -> Frame:
    """Composite over backdrop (size, size, 3; linear) and average the samples of each pixel."""
    size = len(backdrop)
    diffuse = _scatter(buffers.diffuse, buffers.code % 16 == SKIN, size)
    person = (buffers.code > 0).astype("f4")
    colour = buffers.albedo * diffuse + np.minimum(buffers.specular, 4.0)
    alpha = _shrink(person, size)
    linear = _shrink(colour * person[..., None], size) + (1 - alpha[..., None]) * backdrop
    parts, depth = _labels(buffers, size)
    return Frame(tone(linear), alpha, parts, depth)


def tone(linear: np.ndarray) -> np.ndarray:
    """Linear RGB to uint8 with a soft shoulder for highlights, gamma 2.2."""
    rest = 1 - _SHOULDER
    soft = _SHOULDER + rest * (1 - np.exp(-np.maximum(linear - _SHOULDER, 0) / rest))
    linear = np.where(linear < _SHOULDER, linear, soft)
    return (np.clip(linear, 0, 1) ** (1 / 2.2) * 255 + 0.5).astype(np.uint8)


def _shrink(image: np.ndarray, size: int) -> np.ndarray:
    image = np.ascontiguousarray(image, "f4")
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)


def _scatter(diffuse: np.ndarray, skin: np.ndarray, size: int) -> np.ndarray:
    """Light (n, n, 3) blurred within the skin, mostly red: subsurface scattering in the picture."""
    weight, lit = _shrink(skin, size), _shrink(diffuse * skin[..., None], size)
    out = diffuse.copy()
    for channel, width in enumerate(_SCATTER):
        sigma = size / 130 * width
        blur = cv2.GaussianBlur(lit[..., channel], (0, 0), sigma)
        blur /= np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-3)
        wide = cv2.resize(blur, skin.shape[::-1], interpolation=cv2.INTER_LINEAR)
        d = diffuse[..., channel]
        out[..., channel] = np.where(skin, 0.25 * d + 0.75 * wide, d)
    return out


def _labels(buffers: Buffers, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Part labels and depth (size, size); labels are picked, depth is averaged where smooth."""
    k = len(buffers.code) // size
    codes, depths = (
        x.reshape(size, k, size, k).transpose(0, 2, 1, 3).reshape(size, size, k * k)
        for x in (buffers.code, buffers.depth)
    )
    centre = k // 2 * (k + 1)
    code = codes[..., centre]
    smooth = (codes == code[..., None]).all(-1) & (np.ptp(depths, -1) < _SMOOTH_DM)
    depth = np.where(smooth, depths.mean(-1), depths[..., centre])
    return code // 16, np.where(code > 0, depth, 0).astype("f4")
