"""Portrait: a photo, found, cropped and matted, ready to become an avatar."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from scipy.ndimage import distance_transform_edt

from real3d.errors import Real3DError
from real3d.face.crop import (
    CropWindow,
    crop_image,
    crop_landmarks,
    portrait_window,
    without_streaks,
)
from real3d.face.matte import refine_matte
from real3d.face.tracking import FaceTracker, PersonSegmenter, TrackedFace
from real3d.image import read_image

_LOG = logging.getLogger(__name__)

PORTRAIT_PX = 512
"""Side of a portrait's crop."""
SMALLEST_FACE_PX = 64
"""Faces that are less high are refused."""
SMALLEST_PHOTO_PX = 32
_GOOD_FACE_PX = 96
"""Below this height the result is soft, and a warning says so."""
_BACKGROUND = 0.03
"""A matte below this is background."""
_OBJECTION = 2
"""What other looks say is multiplied by this: only below a half are they against somebody."""
_MARGIN_PX, _BLUR_PX, _FEATHER_PX = 41, 14, 6


@dataclass(frozen=True)
class Portrait:
    """One face of one photo, in the square crop that the networks see."""

    image: np.ndarray
    """(512, 512, 3) uint8 RGB crop; beyond the photo's border its last pixels are repeated,
    above it the background goes on."""
    alpha: np.ndarray
    """(512, 512) float32 matte of the person in [0, 1]."""
    landmarks: np.ndarray
    """(478, 3) float32, normalised crop coordinates: x right and y down in [-1, 1], z away."""
    coefficients: np.ndarray
    """(52,) float32 in [0, 1], order of ARKIT_NAMES: the expression in the photo."""
    window: CropWindow
    """Where the crop lies in the original."""
    original: np.ndarray
    """(H, W, 3) uint8 RGB, the whole photo."""

    @classmethod
    def read(cls, path: Path, face: int = 0) -> "Portrait":
        """The portrait in a picture file; face counts from the largest, 0."""
        return cls.from_image(read_image(path), face, str(path))

    @classmethod
    def from_image(
        cls,
        image: np.ndarray,
        face: int = 0,
        name: str = "photo",
        window: CropWindow | None = None,
    ) -> "Portrait":
        """The portrait in an (H, W, 3) uint8 RGB picture; name stands in errors.

        window: crop here, instead of around the face, so that several pictures agree.

        Raises Real3DError when no face is found, fewer than asked for, or it is too small.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise Real3DError(f"{name}: wanted (H, W, 3) uint8. Got {image.shape} {image.dtype}.")
        height, width = image.shape[:2]
        if min(height, width) < SMALLEST_PHOTO_PX:
            raise Real3DError(f"{name}: {width} × {height} px are too few. Use a larger photo.")
        found = _chosen_face(find_faces(image, face + 1), face, name)
        window = window or portrait_window(found, width, height)
        crop = crop_image(image, window, PORTRAIT_PX)
        crop = without_streaks(crop, window, width, height)
        crop, alpha = _without_towers(crop, refine_matte(crop, _person_mask(crop)), window)
        return cls(
            image=crop,
            alpha=alpha,
            landmarks=crop_landmarks(found.landmarks_px, window),
            coefficients=found.coefficients,
            window=window,
            original=image,
        )


def _person_mask(crop: np.ndarray) -> np.ndarray:
    """(S, S) float32 probability of "person" of an (S, S, 3) uint8 RGB crop.

    A look as it is, and two more, mirrored and from farther away, that may object: clouds and flags
    are seldom taken for somebody thrice.
    """
    size, beside = len(crop), len(crop) // 5
    padding = ((beside, beside // 2), (beside, beside), (0, 0))
    farther = np.pad(crop, padding, mode="edge")
    with PersonSegmenter() as segmenter:
        mask = segmenter.segment(crop)
        mirrored = segmenter.segment(crop[:, ::-1])[:, ::-1]
        small = segmenter.segment(farther)[beside:, beside:-beside][:size]
    return np.minimum(mask, _OBJECTION * np.minimum(mirrored, small))


def _without_towers(
    crop: np.ndarray, alpha: np.ndarray, window: CropWindow
) -> tuple[np.ndarray, np.ndarray]:
    """A crop and its matte with background above the photo's upper border.

    There the crop repeats the border: hair that a tight photo cuts would grow up as a tower.
    """
    scale = len(crop) / window.side_px
    missing = int(np.ceil((window.side_px / 2 - window.centre_y_px) * scale))
    if missing <= 0:
        return crop, alpha
    background = cv2.dilate(alpha, np.ones((_MARGIN_PX, _MARGIN_PX))) < _BACKGROUND
    background[:missing] = False
    if not background.any():
        return crop, alpha
    nearest = distance_transform_edt(~background, return_distances=False, return_indices=True)
    filled = cv2.GaussianBlur(crop[tuple(nearest)], (0, 0), _BLUR_PX)
    rows = np.arange(len(crop), dtype=np.float32)[:, None]
    shown = ((rows - missing) / _FEATHER_PX).clip(0, 1)  # nothing at the border, all below it
    mixed = crop * shown[..., None] + filled * (1 - shown[..., None])
    return (mixed + 0.5).astype(np.uint8), alpha * shown


def _chosen_face(faces: list[TrackedFace], index: int, name: str) -> TrackedFace:
    if not faces:
        raise Real3DError(
            f"{name}: no face found. Use a photo in which one face, at least {SMALLEST_FACE_PX} px "
            "high, looks roughly at the camera."
        )
    if not 0 <= index < len(faces):
        found = f"faces 0 to {len(faces) - 1}" if len(faces) > 1 else "only face 0"
        raise Real3DError(f"{name}: face {index} was asked for, {found} found (0 is the largest).")
    height = faces[index].height_px
    if height < SMALLEST_FACE_PX:
        raise Real3DError(
            f"{name}: the face is {height:.0f} px high, at least {SMALLEST_FACE_PX} are needed. "
            "Use a larger or closer photo."
        )
    if height < _GOOD_FACE_PX:
        _LOG.warning("%s: the face is only %.0f px high, the result will be soft", name, height)
    return faces[index]


def find_faces(image: np.ndarray, wanted: int = 1) -> list[TrackedFace]:
    """Faces of an (H, W, 3) uint8 RGB picture, the largest first.

    The tracker misses faces that are small in the picture, and faces that touch its border. Where
    it sees fewer than wanted, overlapping parts of the picture are searched, then the picture with
    a border.
    """
    faces: list[TrackedFace] = []
    with FaceTracker() as tracker:
        for views in (_whole(image), _parts(image), _with_border(image)):
            found = [_shifted(face, x, y) for part, x, y in views for face in tracker.track(part)]
            faces = _distinct([*faces, *found])
            if len(faces) >= wanted:
                break
    return faces


_View = tuple[np.ndarray, int, int]  # a picture, and where its corner lies in the photo


def _whole(image: np.ndarray) -> Iterator[_View]:
    yield image, 0, 0


def _parts(image: np.ndarray, share: float = 0.5) -> Iterator[_View]:
    """Nine overlapping squares; each side is a share of the picture's longer one."""
    height, width = image.shape[:2]
    side = round(share * max(height, width))
    for y in sorted({round(k * max(height - side, 0) / 2) for k in range(3)}):
        for x in sorted({round(k * max(width - side, 0) / 2) for k in range(3)}):
            yield np.ascontiguousarray(image[y : y + side, x : x + side]), x, y


def _with_border(image: np.ndarray) -> Iterator[_View]:
    border = max(image.shape[:2]) // 3
    padded = np.pad(image, ((border, border), (border, border), (0, 0)), constant_values=127)
    yield padded, -border, -border


def _shifted(face: TrackedFace, x: int, y: int) -> TrackedFace:
    return replace(face, landmarks_px=face.landmarks_px + np.array([x, y, 0], np.float32))


def _distinct(faces: list[TrackedFace]) -> list[TrackedFace]:
    """Without repetitions of one face from overlapping views; of those the largest stays."""
    kept: list[TrackedFace] = []
    for face in sorted(faces, key=lambda face: -face.height_px):
        centre = face.landmarks_px[:, :2].mean(0)
        apart = (np.abs(centre - k.landmarks_px[:, :2].mean(0)).max() for k in kept)
        if all(a > 0.5 * k.height_px for a, k in zip(apart, kept, strict=True)):
            kept.append(face)
    return kept
