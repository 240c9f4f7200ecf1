"""Free view: does the head stay the person when it is seen from the side?"""

from dataclasses import dataclass

import cv2
import numpy as np

from real3d.evaluation.observer import Observer
from real3d.evaluation.subject import Subject
from real3d.photo import Portrait

VIEWS_DEG = (
    *((float(yaw), 0.0) for yaw in (-60, -45, -30, -15, 0, 15, 30, 45, 60)),
    (0.0, -20.0),
    (0.0, 20.0),
)
"""Yaw and pitch, counted from facing the camera."""


@dataclass(frozen=True)
class ViewResult:
    """What was measured on one photo."""

    name: str
    identity: tuple[float, ...]
    """Cosine between the photo and each of VIEWS_DEG; NaN where no face was tracked."""
    pictures: tuple[np.ndarray, ...]
    """The photo, then each of VIEWS_DEG, (size, size, 3)."""


def measure_views(
    portrait: Portrait, subject: Subject, observer: Observer, name: str, size: int = 256
) -> ViewResult:
    """Identity of one portrait over VIEWS_DEG."""
    photo = cv2.resize(portrait.image, (size, size), interpolation=cv2.INTER_AREA)
    source = observer.observe(photo, portrait.landmarks)
    pictures = [subject.view(yaw, pitch, size) for yaw, pitch in VIEWS_DEG]
    found = [observer.observe(picture) for picture in pictures]
    cosines = tuple(float(source.embedding @ o.embedding) for o in found)
    return ViewResult(name, cosines, (photo, *pictures))
