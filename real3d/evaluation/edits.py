"""Edits: what was asked of a photo's face beside what a tracker sees in the picture."""

from dataclasses import dataclass

import numpy as np

from real3d.evaluation import metrics
from real3d.evaluation.observer import Observer
from real3d.evaluation.subject import OURS, WARP, Subject
from real3d.face.blendshapes import ARKIT_INDEX, ARKIT_NAMES, arkit_indices
from real3d.photo import Portrait

EDIT_METHODS = (OURS, WARP)


@dataclass(frozen=True)
class Edit:
    """An expression to ask for, on an otherwise neutral face that looks where it looked."""

    name: str
    watched: str
    """The coefficient that is compared; without a side both count."""
    asked: dict[str, float]
    """Coefficients by name; without a side both are set."""
    gaze: bool = False
    """Whether the irises' motion is compared instead, from eyes that look ahead."""


EDITS = (
    Edit("blink", "eyeBlink", {"eyeBlink": 1.0}),
    Edit("jaw open", "jawOpen", {"jawOpen": 0.6}),
    Edit("smile", "mouthSmile", {"mouthSmile": 0.9, "cheekSquint": 0.4}),
    Edit("gaze left", "eyeLookOutLeft", {"eyeLookOutLeft": 0.8, "eyeLookInRight": 0.8}, gaze=True),
    Edit("gaze right", "eyeLookOutRight", {"eyeLookOutRight": 0.8, "eyeLookInLeft": 0.8}, gaze=True),
    Edit("brows up", "browInnerUp", {"browInnerUp": 0.9, "browOuterUp": 0.8, "eyeWide": 0.5}),
    Edit("pucker", "mouthPucker", {"mouthPucker": 0.9}),
)
"""Left and right are the subject's own, as in ARKit."""


@dataclass(frozen=True)
class EditResult:
    """What was measured on one photo with one method."""

    name: str
    seen: dict[str, tuple[float, float]]
    """Edit, to the watched coefficient as tracked at rest and with the edit."""
    lid_closure: tuple[float, float]
    """Share by which a blink closes the left and the right eye's gap: 1 is shut."""
    gaze_share: dict[str, tuple[float, float]]
    """Gaze edit, to the share of the mesh's iris motion that the left and the right eye show."""
    pictures: tuple[np.ndarray, ...]
    """The photo, at rest, then each of EDITS, (size, size, 3)."""


def edited(coefficients: np.ndarray, asked: dict[str, float]) -> np.ndarray:
    """Coefficients (52,) with those asked for set."""
    result = coefficients.copy()
    for name, value in asked.items():
        result[arkit_indices(name)] = value
    return result


def measure_edits(
    portrait: Portrait, subject: Subject, observer: Observer, name: str, size: int = 256
) -> dict[str, EditResult]:
    """The results of EDIT_METHODS on one portrait."""
    pose = subject.fit(portrait.landmarks[None], portrait.coefficients[None])
    own = pose.coefficients[0].cpu().numpy()
    ahead = np.zeros(len(ARKIT_NAMES), np.float32)
    rest = ahead.copy()
    looks = [k for n, k in ARKIT_INDEX.items() if n.startswith("eyeLook")]
    rest[looks] = own[looks]
    rows = [edited(ahead if edit.gaze else rest, edit.asked) for edit in EDITS]
    asked = pose.repeated(np.stack([rest, ahead, *rows]))
    mesh_offsets = metrics.iris_offset(subject.mesh_landmarks(asked))

    results = {}
    for method in EDIT_METHODS:
        pictures = list(subject.frames(method, asked, size))
        seen = [observer.observe(picture) for picture in pictures]
        offsets = metrics.iris_offset(np.stack([s.landmarks for s in seen]))
        watched = {
            edit.name: (_watched(seen[0], edit), _watched(o, edit))
            for edit, o in zip(EDITS, seen[2:], strict=True)
        }
        gaze = {
            edit.name: tuple((offsets[k] - offsets[1]) / (mesh_offsets[k] - mesh_offsets[1]))
            for k, edit in enumerate(EDITS, 2)
            if edit.gaze
        }
        blink = next(k for k, edit in enumerate(EDITS, 2) if edit.watched == "eyeBlink")
        closure = 1 - metrics.lid_gap(seen[blink].landmarks) / metrics.lid_gap(seen[0].landmarks)
        shown = (_reduced(portrait.image, size), pictures[0], *pictures[2:])
        results[method] = EditResult(name, watched, tuple(closure), gaze, shown)
    return results


def _watched(observation, edit: Edit) -> float:
    return float(observation.coefficients[arkit_indices(edit.watched)].mean())


def _reduced(image: np.ndarray, size: int) -> np.ndarray:
    import cv2

    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
