"""Free view: does the head stay the person when it is seen from the side?"""

from dataclasses import dataclass

import numpy as np

from real3d.evaluation import metrics
from real3d.evaluation.observer import Observer, reduced, stacked
from real3d.evaluation.sheets import Pictures
from real3d.evaluation.subject import OURS, WARP, Subject
from real3d.photo import Portrait

YAWS_DEG = (15, 30, 45, 60, 75)
VIEWS_DEG = (
    *((float(yaw), 0.0) for yaw in (*(-yaw for yaw in reversed(YAWS_DEG)), 0, *YAWS_DEG)),
    (0.0, -20.0),
    (0.0, 20.0),
)
"""Yaw and pitch, counted from facing the camera."""
VIEW_METHODS = (OURS, WARP)


@dataclass(frozen=True)
class ViewResult:
    """What was measured on one photo; an entry for each of VIEWS_DEG."""

    name: str
    identity: dict[str, list[float]]
    """Method, to the cosine between the photo and the view."""
    landmark_error_percent: dict[str, list[float]]
    """Method, to the mean distance between the landmarks seen and the mesh's, % of the photo's
    interocular distance; NaN where no face was found."""
    tracked: dict[str, list[bool]]
    """Method, to whether the tracker found the face; otherwise the mesh's landmarks align it."""


def measure_views(
    portrait: Portrait,
    subject: Subject,
    observer: Observer,
    name: str,
    size: int = 256,
    shown_px: int | None = None,
) -> tuple[ViewResult, Pictures]:
    """Results of one portrait over VIEWS_DEG at size px; a row of pictures: the photo, our views.

    shown_px: side of the pictures that are rendered and returned; by default size.
    """
    shown_px = shown_px or size
    source = observer.observe(reduced(portrait.image, size), portrait.landmarks)
    pose = subject.turned(VIEWS_DEG)
    meshes = subject.mesh_landmarks(pose)
    unit = metrics.interocular(portrait.landmarks)
    identity, errors, tracked, pictures = {}, {}, {}, {}
    for method in VIEW_METHODS:
        pictures[method] = list(subject.frames(method, pose, shown_px))
        found = stacked(
            [
                observer.observe(reduced(picture, size), mesh)
                for picture, mesh in zip(pictures[method], meshes, strict=True)
            ]
        )
        distance = np.linalg.norm(found.landmarks[..., :2] - meshes, axis=-1).mean(-1)
        identity[method] = (found.embedding @ source.embedding).tolist()
        errors[method] = (100 * distance / unit).tolist()
        tracked[method] = np.isfinite(found.landmarks).all((-1, -2)).tolist()
    row = [reduced(portrait.image, shown_px), *pictures[OURS]]
    return ViewResult(name, identity, errors, tracked), [row]
