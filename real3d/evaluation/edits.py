"""Edits: what was asked of a photo's face beside what a tracker sees in the picture."""

from dataclasses import dataclass

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
    gaze: bool = False
    """Whether the irises' motion is compared as well, from eyes that look ahead."""

    @property
    def asked_of_watched(self) -> float:
        """What was asked of the watched coefficient."""
        return self.asked[self.watched]


EDITS = (
    Edit("blink", "eyeBlink", {"eyeBlink": 1.0}),
    Edit("jaw open", "jawOpen", {"jawOpen": 0.6}),
    Edit("smile", "mouthSmile", {"mouthSmile": 0.9, "cheekSquint": 0.4}),
    Edit("gaze left", "eyeLookOutLeft", {"eyeLookOutLeft": 0.8, "eyeLookInRight": 0.8}, gaze=True),
    Edit(
        "gaze right", "eyeLookOutRight", {"eyeLookOutRight": 0.8, "eyeLookInLeft": 0.8}, gaze=True
    ),
    Edit("brows up", "browInnerUp", {"browInnerUp": 0.9, "browOuterUp": 0.8, "eyeWide": 0.5}),
    Edit("pucker", "mouthPucker", {"mouthPucker": 0.9}),
)
"""Left and right are the subject's own, as in ARKit."""
EDIT_COLUMNS = ("photo", "at rest", *(edit.name for edit in EDITS))
_BLINK = 2 + next(k for k, edit in enumerate(EDITS) if edit.watched == "eyeBlink")
_SHUT_GAP = 0.06
"""Lid gap, in eye widths, of an eye that is as good as shut."""


@dataclass(frozen=True)
class EditResult:
    """What was measured on one photo; keys are methods of EDIT_METHODS, then edits."""

    name: str
    seen: dict[str, dict[str, list[float]]]
    """The watched coefficient as tracked at rest and with the edit; NaN where no face was seen."""
    identity: dict[str, dict[str, float]]
    """Cosine between the photo and the edited picture."""
    lid_closure: dict[str, list[float]]
    """Share by which a blink closes the left and the right eye's gap: 1 is shut."""
    gaze_share: dict[str, dict[str, list[float]]]
    """Share of the mesh's iris motion that the left and the right eye show."""


def measure_edits(
    portrait: Portrait, subject: Subject, observer: Observer, name: str, size: int = 256
) -> tuple[EditResult, Pictures]:
    """The results of one portrait; a row of EDIT_COLUMNS pictures for each of EDIT_METHODS."""
    pose = subject.fit(portrait.landmarks[None], portrait.coefficients[None])
    asked = pose.repeated(_asked(pose.coefficients[0].cpu().numpy()))
    mesh = metrics.iris_offset(subject.mesh_landmarks(asked))
    photo = reduced(portrait.image, size)
    source = observer.observe(photo, portrait.landmarks)
    seen, identity, closure, gaze, rows = {}, {}, {}, {}, []
    for method in EDIT_METHODS:
        rest, ahead, *edited = subject.frames(method, asked, size)
        found = [observer.observe(picture) for picture in (rest, ahead, *edited)]
        eyes = metrics.iris_offset(np.stack([face.landmarks for face in found]))
        seen[method], identity[method], gaze[method] = {}, {}, {}
        for k, edit in enumerate(EDITS, 2):
            seen[method][edit.name] = [_watched(found[0], edit), _watched(found[k], edit)]
            identity[method][edit.name] = float(source.embedding @ found[k].embedding)
            if edit.gaze:
                gaze[method][edit.name] = ((eyes[k] - eyes[1]) / (mesh[k] - mesh[1])).tolist()
        closure[method] = lid_closure(found[0].landmarks, found[_BLINK].landmarks).tolist()
        rows.append([photo, rest, *edited])
    return EditResult(name, seen, identity, closure, gaze), rows


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
