"""Edits: what was asked of a photo's face beside what a tracker sees in the picture."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from real3d.evaluation import metrics
from real3d.evaluation.observer import Observation, Observer, reduced
from real3d.evaluation.sheets import Pictures
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
    gaze: Literal["", "sideways", "upwards"] = ""
    """Along which axis the irises' motion is compared as well, from eyes that look ahead."""

    @property
    def asked_of_watched(self) -> float:
        """What was asked of the watched coefficient."""
        return self.asked[self.watched]


def _gaze(name: str, axis: str, *looks: str) -> Edit:
    return Edit(f"gaze {name}", looks[0], dict.fromkeys(looks, 0.8), axis)


LIPS_CLOSED = "lips closed"
EDITS = (
    Edit("blink", "eyeBlink", {"eyeBlink": 1.0}),
    Edit("wide eyes", "eyeWide", {"eyeWide": 0.8}),
    _gaze("left", "sideways", "eyeLookOutLeft", "eyeLookInRight"),
    _gaze("right", "sideways", "eyeLookOutRight", "eyeLookInLeft"),
    _gaze("up", "upwards", "eyeLookUp"),
    _gaze("down", "upwards", "eyeLookDown"),
    Edit("jaw open", "jawOpen", {"jawOpen": 0.6}),
    Edit(LIPS_CLOSED, "jawOpen", {"jawOpen": 0.0}),
    Edit("smile", "mouthSmile", {"mouthSmile": 0.9, "cheekSquint": 0.4}),
    Edit("brows up", "browInnerUp", {"browInnerUp": 0.9, "browOuterUp": 0.8, "eyeWide": 0.5}),
    Edit("cheek puff", "cheekPuff", {"cheekPuff": 0.9}),
    Edit("pucker", "mouthPucker", {"mouthPucker": 0.9}),
)
"""Left and right are the subject's own, as in ARKit."""
EDIT_COLUMNS = ("photo", "at rest", *(edit.name for edit in EDITS))
_FIRST = 2
"""Pictures before those of EDITS: at rest, and at rest looking ahead."""
_BLINK = _FIRST + next(k for k, edit in enumerate(EDITS) if edit.name == "blink")
_CLOSED = _FIRST + next(k for k, edit in enumerate(EDITS) if edit.name == LIPS_CLOSED)
_SHUT_GAP = 0.06
"""Lid gap, in eye widths, of an eye that is as good as shut."""
_OPEN_MOUTH = 0.08
"""Lip gap, in mouth widths, from which a photo's mouth is open."""

_STILL = 1e-4
"""An edit that moves no landmark further (half sides of the picture) asks for nothing."""


@dataclass(frozen=True)
class EditResult:
    """What was measured on one photo; keys are methods of EDIT_METHODS, then edits."""

    name: str
    seen: dict[str, dict[str, list[float]]]
    """The watched coefficient as tracked at rest and with the edit; NaN where no face was seen."""
    identity: dict[str, dict[str, float]]
    """Cosine between the photo and the edited picture."""
    motion_share: dict[str, dict[str, float]]
    """Share of the mesh's motion, from rest to the edit, that the tracked landmarks show."""
    lid_closure: dict[str, list[float]]
    """Share by which a blink closes the left and the right eye's gap: 1 is shut."""
    lip_closure: dict[str, float]
    """Share by which closed lips close the photo's gap; NaN where its mouth is shut."""
    gaze_share: dict[str, dict[str, list[float]]]
    """Share of the mesh's iris motion that the left and the right eye show."""


def measure_edits(
    portrait: Portrait,
    subject: Subject,
    observer: Observer,
    name: str,
    size: int = 256,
    shown_px: int | None = None,
) -> tuple[EditResult, Pictures]:
    """Results of one portrait at size px; a row of EDIT_COLUMNS pictures for each EDIT_METHODS.

    shown_px: side of the pictures that are rendered and returned; by default size.
    """
    shown_px = shown_px or size
    pose = subject.fit(portrait.landmarks[None], portrait.coefficients[None])
    rows, index = np.unique(
        _asked(pose.coefficients[0].cpu().numpy()), axis=0, return_inverse=True
    )  # one expression may serve several times
    asked = pose.repeated(rows)
    mesh = subject.mesh_landmarks(asked)[index]
    photo = reduced(portrait.image, shown_px)
    source = observer.observe(reduced(portrait.image, size), portrait.landmarks)
    gap = metrics.lip_gap(portrait.landmarks)
    seen, identity, share, lids, lips, gaze, sheet = {}, {}, {}, {}, {}, {}, []
    for method in EDIT_METHODS:
        made = list(subject.frames(method, asked, shown_px))
        faces = [observer.observe(reduced(picture, size)) for picture in made]
        pictures, found = [made[k] for k in index], [faces[k] for k in index]
        points = np.stack([face.landmarks for face in found])
        edits = list(enumerate(EDITS, _FIRST))
        seen[method] = {e.name: [_watched(found[0], e), _watched(found[k], e)] for k, e in edits}
        identity[method] = {e.name: float(source.embedding @ found[k].embedding) for k, e in edits}
        share[method] = {e.name: _motion_share(points, mesh, k) for k, e in edits}
        gaze[method] = {
            e.name: _gaze_share(points, mesh, k, e).tolist() for k, e in edits if e.gaze
        }
        lids[method] = lid_closure(points[0], points[_BLINK]).tolist()
        lips[method] = float("nan")
        if gap > _OPEN_MOUTH:
            lips[method] = float(1 - metrics.lip_gap(points[_CLOSED]) / gap)
        sheet.append([photo, pictures[0], *pictures[_FIRST:]])
    return EditResult(name, seen, identity, share, lids, lips, gaze), sheet


def _gaze_share(points: np.ndarray, mesh: np.ndarray, k: int, edit: Edit) -> np.ndarray:
    """(2,) iris motion of an edit's landmarks (478, 2) beside the mesh's, left and right eye."""
    place = metrics.iris_offset if edit.gaze == "sideways" else metrics.iris_rise
    return (place(points[k]) - place(points[1])) / (place(mesh[k]) - place(mesh[1]))


def _motion_share(points: np.ndarray, mesh: np.ndarray, k: int) -> float:
    rest = 1 if EDITS[k - _FIRST].gaze else 0
    wanted = mesh[k] - mesh[rest]
    if np.abs(wanted).max() < _STILL:
        return float("nan")
    return float(metrics.motion_share((points[k] - points[rest])[:, :2], wanted))


def _asked(own: np.ndarray) -> np.ndarray:
    """(2 + edits, 52): at rest with the photo's own gaze, at rest looking ahead, then EDITS."""
    ahead = np.zeros(len(ARKIT_NAMES), np.float32)
    rest = ahead.copy()
    looks = [k for name, k in ARKIT_INDEX.items() if name.startswith("eyeLook")]
    rest[looks] = own[looks]
    rows = [edited(ahead if edit.gaze else rest, edit.asked) for edit in EDITS]
    return np.stack([rest, ahead, *rows])


def edited(coefficients: np.ndarray, asked: dict[str, float]) -> np.ndarray:
    """Coefficients (52,) with those asked for set."""
    result = coefficients.copy()
    for name, value in asked.items():
        result[arkit_indices(name)] = value
    return result


def lid_closure(rest: np.ndarray, shut: np.ndarray) -> np.ndarray:
    """(2,) share by which lids of landmarks (478, 3) close; NaN for an eye shut already."""
    gap = metrics.lid_gap(rest)
    closed = gap - metrics.lid_gap(shut)
    return np.divide(closed, gap, out=np.full(2, np.nan), where=gap > _SHUT_GAP)


def _watched(face: Observation, edit: Edit) -> float:
    return float(face.coefficients[arkit_indices(edit.watched)].mean())
