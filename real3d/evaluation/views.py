"""Free view: does the head stay the person when it is seen from the side?"""

from dataclasses import dataclass

from real3d.evaluation.observer import Observer, reduced
from real3d.evaluation.sheets import Pictures
from real3d.evaluation.subject import OURS, WARP, Subject
from real3d.photo import Portrait

YAWS_DEG = (15, 30, 45, 60)
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
    tracked: dict[str, list[bool]]
    """Method, to whether the tracker found the face; otherwise the mesh's landmarks align it."""


def measure_views(
    portrait: Portrait, subject: Subject, observer: Observer, name: str, size: int = 256
) -> tuple[ViewResult, Pictures]:
    """Identity of one portrait over VIEWS_DEG; a row of pictures: the photo, then our views."""
    photo = reduced(portrait.image, size)
    source = observer.observe(photo, portrait.landmarks)
    pose = subject.turned(VIEWS_DEG)
    meshes = subject.mesh_landmarks(pose)
    identity, tracked, pictures = {}, {}, {}
    for method in VIEW_METHODS:
        pictures[method] = list(subject.frames(method, pose, size))
        found = [
            observer.observe(picture, mesh)
            for picture, mesh in zip(pictures[method], meshes, strict=True)
        ]
        identity[method] = [float(source.embedding @ o.embedding) for o in found]
        tracked[method] = [o.seen for o in found]
    return ViewResult(name, identity, tracked), [[photo, *pictures[OURS]]]
