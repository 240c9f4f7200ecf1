"""A/B: lips made from sound under the speaker's own, moment by moment, on one face."""

from pathlib import Path

import numpy as np
import torch

from real3d.audio_motion import Speaking
from real3d.audio_weights import AudioModel
from real3d.avatar import Avatar
from real3d.evaluation.sheets import joined, write_sheet
from real3d.evaluation.speech import MOUTH_ALONE, loudness, made_from
from real3d.face.blendshapes import MOUTH_ROWS
from real3d.fitting import mesh_landmarks
from real3d.motion import Motion
from real3d.networks.audio_to_motion import STEPS_PER_S
from real3d.pipeline import render
from real3d.retarget_speech import retarget_speech
from real3d.training.speech_sequences import SpokenSequence
from real3d.weight_files import Model

MOMENTS, STEP_S = 12, 0.12
_CORNERS = [61, 291]
_WIDTHS, _PX = 0.8, 128
"""Half the side of a cell in mouth widths, and that side in pixels."""


def write_lip_sheet(
    path: Path,
    sequences: list[SpokenSequence],
    audio: AudioModel | None,
    avatar: Avatar,
    model: Model,
) -> Path:
    """Write a sheet: two rows a sequence, a column every STEP_S seconds from where it is loud."""
    items = []
    for sequence in sequences:
        steps = _loud_moments(sequence)
        made = made_from(sequence, steps[-1] + 1, Speaking(**MOUTH_ALONE), audio)[steps]
        rows = [_mouths(avatar, c, model) for c in (sequence.at(steps / STEPS_PER_S), made)]
        name = f"{sequence.name}\n{sequence.language}\nabove: the speaker\nbelow: from sound"
        items.append((name, joined(rows)))
    headings = [f"{k * STEP_S:.2f} s" for k in range(MOMENTS)]
    return write_sheet(path, headings, items, _PX)


def _loud_moments(sequence: SpokenSequence) -> np.ndarray:
    """(MOMENTS,) rising steps of 20 ms, over the loudest part; the last again where it is short."""
    count = int(sequence.seconds * STEPS_PER_S)
    step = round(STEP_S * STEPS_PER_S)
    span = min(step * (MOMENTS - 1), count - 1)
    loud = np.convolve(loudness(sequence.samples, count), np.ones(span + 1), "valid")
    return np.minimum(int(loud.argmax()) + step * np.arange(MOMENTS), count - 1)


@torch.no_grad()
def _mouths(avatar: Avatar, coefficients: np.ndarray, model: Model) -> list[np.ndarray]:
    """Square pictures of the avatar's mouth, which alone moves as in coefficients (T, 52)."""
    still, mouth = np.zeros((len(coefficients), 3), np.float32), np.zeros_like(coefficients)
    mouth[:, MOUTH_ROWS] = coefficients[:, MOUTH_ROWS]
    motion = Motion(mouth, still, still, STEPS_PER_S)
    cameras, driven = retarget_speech(avatar, motion)
    frames = render(avatar, model=model, cameras=cameras, coefficients=driven)
    corners = mesh_landmarks(avatar, avatar.camera, avatar.coefficients)[0, _CORNERS].numpy()
    reach = _WIDTHS * float(np.linalg.norm(corners[0] - corners[1]))
    return [_cut(frame, corners.mean(0), reach) for frame in frames]


def _cut(frame: np.ndarray, middle: np.ndarray, reach: float) -> np.ndarray:
    """The square around a middle (2,) in normalised coordinates, as far as it lies in the frame."""
    low, high = (
        ((middle + way * reach + 1) / 2 * len(frame)).round().astype(int).clip(0, len(frame))
        for way in (-1, 1)
    )
    return frame[low[1] : high[1], low[0] : high[0]]
