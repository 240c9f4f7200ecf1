"""Do emotions show, more with intensity, and do lips still follow the voice?"""

import numpy as np
import torch

from real3d.audio_motion import Speaking
from real3d.audio_weights import AudioModel
from real3d.avatar import Avatar
from real3d.emotion import EMOTIONS, NEUTRAL
from real3d.evaluation.speech import correlations, made_from
from real3d.evaluation.tables import table
from real3d.face.blendshapes import arkit_indices
from real3d.face.lips import mouth_opening
from real3d.face.tracking import FaceTracker
from real3d.motion import Motion
from real3d.networks.audio_to_motion import STEPS_PER_S
from real3d.pipeline import render
from real3d.retarget_speech import retarget_speech
from real3d.training.speech_sequences import SpokenSequence
from real3d.weight_files import Model

SIGNS = {
    "happy": "mouthSmile", "sad": "mouthFrown", "angry": "browDown", "surprised": "eyeWide",
    "disgusted": "noseSneer", "fearful": "browInnerUp", "contempt": "mouthSmileLeft",
}  # fmt: skip
"""What each is recognised by."""
_INTENSITIES = (0.0, 0.5, 1.0)
_SEEN = ("mouthSmile", "mouthFrown", "browDown", "browInnerUp", "eyeWide")


def emotion_table(sequences: list[SpokenSequence], model: AudioModel | None) -> str:
    """Each emotion's sign at three intensities, and what becomes of the mouth's timing."""
    rows = []
    for emotion in (NEUTRAL, *EMOTIONS):
        signs, timing, shut = [], [], []
        for intensity in _INTENSITIES if emotion != NEUTRAL else (1.0,):
            how = Speaking(emotion, intensity, blink="none", head_motion="still")
            found = [_followed(s, how, model, SIGNS.get(emotion, "jawOpen")) for s in sequences]
            sign, correlation, narrow_mm = np.mean(found, 0)
            signs.append(f"{sign:.2f}")
            timing.append(f"{correlation:.2f}")
            shut.append(f"{narrow_mm:.1f}")
        name = f"{SIGNS[emotion]} {' → '.join(signs)}" if emotion in SIGNS else "—"
        rows.append([emotion, name, " → ".join(timing), " → ".join(shut)])
    return table(
        ["emotion", "sign at intensity 0 → 0.5 → 1", "correlation of opening", "narrowest 5 %, mm"],
        rows,
    )


def _followed(
    sequence: SpokenSequence, how: Speaking, model: AudioModel | None, sign: str
) -> tuple[float, float, float]:
    times_s = np.arange(int(sequence.seconds * STEPS_PER_S)) / STEPS_PER_S
    made = made_from(sequence, len(times_s), how, model)
    opening_mm = mouth_opening(made)
    curve = correlations(opening_mm, mouth_opening(sequence.at(times_s)))
    return (
        float(made[:, arkit_indices(sign)].mean()),
        curve[len(curve) // 2],
        float(np.percentile(opening_mm, 5)),
    )


def rendered_table(avatar: Avatar, model: Model, size: int = 512) -> str:
    """What the face tracker sees in pictures of an avatar with each emotion, beside none."""
    from real3d.audio_motion import with_gestures
    from real3d.emotion import EmotionTrack
    from real3d.gestures import Voice

    rows, rng = [], np.random.default_rng(0)
    with FaceTracker(max_faces=1) as tracker:
        for emotion in EMOTIONS:
            seen = []
            for intensity in _INTENSITIES:
                how = Speaking(emotion, intensity, blink="none", head_motion="still")
                track = EmotionTrack.parse(emotion, intensity)
                motion = with_gestures(Motion.still(), track, how, Voice(), rng)
                cameras, coefficients = retarget_speech(avatar, motion)
                with torch.no_grad():
                    picture = next(
                        render(avatar, model=model, cameras=cameras, coefficients=coefficients,
                               size=size)
                    )  # fmt: skip
                faces = tracker.track(picture)
                row = faces[0].coefficients if faces else np.full(52, np.nan)
                seen.append([f"{row[arkit_indices(name)].mean():.2f}" for name in _SEEN])
            rows.append([emotion, *(" → ".join(column) for column in zip(*seen, strict=True))])
    return table(["at intensity 0 → 0.5 → 1", *_SEEN], rows)
