"""Retargeting of speech: the mouth rests shut, whatever the photo's mouth does.

A motion from sound counts from a face at rest, not from its first frame, and lips that say m have
to meet: the photo's own opening must not be added to them. Of the photo's expression brows, lids
and a part of a smile or frown stay.
"""

import torch
from torch import Tensor

from real3d.avatar import Avatar
from real3d.camera import HEAD_UNIT_CM, Camera
from real3d.face.blendshapes import ARKIT_INDEX, MOUTH_ROWS, arkit_indices
from real3d.face.lips import LOWER, UPPER
from real3d.fitting import cpu_fitter
from real3d.motion import Motion
from real3d.retarget import relative_coefficients, retarget

_KEPT = {"mouthSmile": 0.4, "mouthFrown": 0.6, "mouthDimple": 0.4}
_MOST_CLOSING = 0.4
_SMILES = arkit_indices("mouthSmile")


def retarget_speech(avatar: Avatar, motion: Motion) -> tuple[Camera, Tensor]:
    """Cameras of T frames and coefficients (T, 52) of an avatar that speaks."""
    start = Motion.still(fps=motion.fps)
    joined = Motion(
        *(
            torch.cat([torch.from_numpy(getattr(m, name)) for m in (start, motion)]).numpy()
            for name in ("coefficients", "rotation", "translation")
        ),
        motion.fps,
    )
    camera, _ = retarget(avatar, joined, relative=True)
    driver = torch.from_numpy(joined.coefficients)
    own = resting(avatar)
    coefficients = relative_coefficients(avatar.identity, own, driver)
    smile = coefficients[:, _SMILES]
    coefficients[:, _SMILES] = torch.maximum(driver[:, _SMILES], smile.clamp_max(0.9))
    return camera[1:], coefficients[1:]


def resting(avatar: Avatar) -> Tensor:
    """(1, 52) of the photo's expression with its lips shut."""
    own = avatar.coefficients.clone()
    kept = {name: own[:, arkit_indices(name)] * share for name, share in _KEPT.items()}
    own[:, MOUTH_ROWS] = 0
    for name, values in kept.items():
        own[:, arkit_indices(name)] = values
    apart_mm = _lip_gap_mm(avatar.identity, own) - _lip_gap_mm(0 * avatar.identity, 0 * own)
    close = ARKIT_INDEX["mouthClose"]
    shut = own.clone()
    shut[:, close] = 1
    travel_mm = _lip_gap_mm(avatar.identity, own) - _lip_gap_mm(avatar.identity, shut)
    own[:, close] = (apart_mm / travel_mm.clamp_min(1)).clamp(0, _MOST_CLOSING)
    return own


def _lip_gap_mm(identity: Tensor, coefficients: Tensor) -> Tensor:
    """(T,) millimetres between the landmarks in the middle of the inner lips."""
    fitter = cpu_fitter()
    height = (fitter.mean + identity)[..., 1] + torch.einsum(
        "tc,cl->tl", coefficients, fitter.shapes[..., 1]
    )
    return (height[:, LOWER] - height[:, UPPER]) * HEAD_UNIT_CM * 10
