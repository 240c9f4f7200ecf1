"""Emotions as faces: seven poses of the ARKit coefficients, blended, and changing over time.

Which muscles make which face follows the prototypes of the Facial Action Coding System (Ekman,
Friesen and Hager 2002, table 10-1), with ARKit's names for the action units.
"""

import math
import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from real3d.errors import Real3DError
from real3d.face.blendshapes import ARKIT_INDEX, ARKIT_NAMES, arkit_indices

NEUTRAL = "neutral"
_POSES: dict[str, dict[str, float]] = {
    "happy": {
        "mouthSmile": 0.75, "cheekSquint": 0.5, "eyeSquint": 0.3, "mouthDimple": 0.1,
        "browOuterUp": 0.1,
    },
    "sad": {
        "mouthFrown": 0.6, "browInnerUp": 0.75, "eyeSquint": 0.1,
        "eyeLookDown": 0.1,
    },
    "angry": {
        "browDown": 0.85, "noseSneer": 0.35, "eyeSquint": 0.35, "mouthFrown": 0.35,
        "mouthPress": 0.15, "jawForward": 0.1,
    },
    "surprised": {"browInnerUp": 0.8, "browOuterUp": 0.8, "eyeWide": 0.5, "jawOpen": 0.1},
    "disgusted": {
        "noseSneer": 0.8, "mouthUpperUp": 0.25, "browDown": 0.5, "mouthFrown": 0.35,
        "eyeSquint": 0.35, "cheekSquint": 0.2,
    },
    "fearful": {
        "browInnerUp": 0.85, "browOuterUp": 0.35, "eyeWide": 0.5, "mouthStretch": 0.35,
        "browDown": 0.15,
    },
    "contempt": {
        "mouthSmileLeft": 0.45, "mouthDimpleLeft": 0.45, "eyeSquint": 0.15, "mouthPress": 0.1,
        "browOuterUpRight": 0.15,
    },
}  # fmt: skip
EMOTIONS: tuple[str, ...] = tuple(_POSES)
"""The seven; their order is that of every vector of strengths."""
_PARTING = ("jawOpen", "mouthUpperUp", "mouthLowerDown", "mouthStretch")
_SEGMENT = re.compile(r"^(?:(?P<start>\d+(?:\.\d+)?)\s+)?(?P<blend>\S.*)$")
CROSSFADE_S = 0.6


def emotion_poses() -> np.ndarray:
    """(7, 52) float32: the face of each emotion at full strength."""
    poses = np.zeros((len(EMOTIONS), len(ARKIT_NAMES)), np.float32)
    for row, pose in zip(poses, _POSES.values(), strict=True):
        for name, value in pose.items():
            row[arkit_indices(name)] = value
    return poses


@dataclass(frozen=True)
class EmotionTrack:
    """Which emotions are felt when: each blend holds until the next one starts."""

    starts_s: tuple[float, ...]
    """(K,) rising; the first is 0."""
    strengths: np.ndarray
    """(K, 7) float32 in [0, 1], order of EMOTIONS."""

    @classmethod
    def parse(cls, text: str, intensity: float = 1.0) -> "EmotionTrack":
        """A track of `happy`, of a blend `happy:0.6,surprised:0.3`, or of blends over time,
        `neutral; 2.5 happy:0.8; 6 sad`: a number is the second at which a blend starts.

        Raises Real3DError for unknown emotions, strengths outside [0, 1] and disordered times.
        """
        if not (math.isfinite(intensity) and 0 <= intensity <= 1):
            raise Real3DError(f"intensity {intensity:g}: wanted a number from 0 to 1.")
        starts, strengths = [], []
        for number, segment in enumerate(text.split(";")):
            found = _SEGMENT.match(segment.strip())
            if not found:
                raise Real3DError(f"emotion {text!r}: part {number + 1} is empty. {_wanted()}")
            given = found["start"]
            if given is None and number:
                raise Real3DError(
                    f"emotion {text!r}: {segment.strip()!r} needs the second at which it starts."
                )
            starts.append(float(given or 0))
            strengths.append(_blend(found["blend"]) * np.float32(intensity))
        if any(b <= a for a, b in pairwise(starts)):
            raise Real3DError(f"emotion {text!r}: its times must rise.")
        if starts[0] > 0:
            starts, strengths = [0.0, *starts], [np.zeros_like(strengths[0]), *strengths]
        return cls(tuple(starts), np.stack(strengths))

    def weights(self, times_s: np.ndarray) -> np.ndarray:
        """(T, K) float32 shares of the blends at times (T,); rows sum to 1, blends cross-fade."""
        rising = np.ones((len(times_s), len(self.starts_s)), np.float32)
        for column, start_s in enumerate(self.starts_s[1:], 1):
            x = np.clip((times_s - start_s) / CROSSFADE_S + 0.5, 0, 1)
            rising[:, column] = x * x * (3 - 2 * x)
        left = np.ones(len(times_s), np.float32)
        shares = np.zeros_like(rising)
        for column in reversed(range(len(self.starts_s))):  # the latest blend comes first
            shares[:, column] = left * rising[:, column]
            left = left - shares[:, column]
        return shares

    def at(self, times_s: np.ndarray) -> np.ndarray:
        """(T, 7) strengths at times (T,) seconds."""
        return self.weights(times_s) @ self.strengths


def _blend(text: str) -> np.ndarray:
    """(7,) strengths of a blend in words."""
    strengths = np.zeros(len(EMOTIONS), np.float32)
    for part in text.split(","):
        name, _, number = part.strip().partition(":")
        try:
            strength = float(number) if number else 1.0
        except ValueError:
            strength = math.nan
        if name not in (*EMOTIONS, NEUTRAL):
            raise Real3DError(f"emotion {name!r} is unknown. {_wanted()}")
        if not 0 <= strength <= 1:
            raise Real3DError(f"emotion {part.strip()!r}: wanted a strength from 0 to 1.")
        if name != NEUTRAL:
            strengths[EMOTIONS.index(name)] += strength
    return strengths.clip(0, 1)


def _wanted() -> str:
    return f"Wanted {NEUTRAL}, {', '.join(EMOTIONS)}, or a blend such as happy:0.6,surprised:0.3."


def with_emotion(coefficients: np.ndarray, strengths: np.ndarray, open_: np.ndarray) -> np.ndarray:
    """(T, 52) with the faces of emotions (T, 7) added, in [0, 1].

    open_: (T,) in [0, 1], how far the lips are apart: where they meet, what would part them is left
    out, so that an m stays an m.
    """
    added = strengths @ emotion_poses()
    for name in _PARTING:
        added[:, arkit_indices(name)] *= open_[:, None]
    result = coefficients + added
    frown, smile = arkit_indices("mouthFrown"), arkit_indices("mouthSmile")
    for one, other in ((frown, smile), (smile, frown)):  # nobody smiles and frowns at once
        result[:, one] -= np.minimum(coefficients[:, one], added[:, other])
    both = ARKIT_INDEX["browInnerUp"]
    down = arkit_indices("browDown")
    result[:, both] -= np.minimum(coefficients[:, both], added[:, down].mean(1))
    return result.clip(0, 1).astype(np.float32)
