"""Retargeting: what an avatar's head does when a motion drives it."""

import math

import numpy as np
import torch
from torch import Tensor

from real3d.avatar import Avatar
from real3d.camera import HEAD_UNIT_CM, Camera
from real3d.face.blendshapes import ARKIT_INDEX
from real3d.fitting import cpu_fitter
from real3d.motion import Motion
from real3d.rotation import euler_from_rotation, rotation_from_euler

_BLINKS = [ARKIT_INDEX["eyeBlinkLeft"], ARKIT_INDEX["eyeBlinkRight"]]
_LIDS = (((386, 385, 387), (374, 380, 373)), ((159, 158, 160), (145, 153, 144)))
"""Landmarks of the upper and the lower lid, left eye first."""
_SHUT = 0.08
"""Share of an open eye's gap at which a tracked eye is shut."""
_OPEN = 0.5
"""A driver that begins with less than this of the mean head's gap is in the middle of a blink."""
_REACH = (0.35, 0.3, 1.2)
"""How far the head may move right, down and away, head units, so that it stays in the picture."""
_PITCH_IN_ORBIT_DEG = 4.0


def retarget(avatar: Avatar, motion: Motion, relative: bool = True) -> tuple[Camera, Tensor]:
    """Cameras of T frames and coefficients (T, 52) of the avatar driven by a motion.

    relative: the driver's changes since its first frame are added to the photo's own pose and
    expression; shut eyes still shut. Otherwise the driver's pose and expression are taken over. The
    place changes relatively in both cases, softly limited.
    """
    driver = torch.from_numpy(motion.coefficients)
    turns = rotation_from_euler(torch.from_numpy(motion.rotation))
    if relative:
        driver = relative_coefficients(avatar.identity, avatar.coefficients, driver)
        turns = avatar.camera.rotation @ turns[:1].mT @ turns
    shift = torch.from_numpy(motion.translation - motion.translation[:1]) / HEAD_UNIT_CM
    reach = shift.new_tensor(_REACH)
    place = avatar.camera.translation + reach * torch.tanh(shift / reach)
    return Camera(turns, place), driver.clamp(0, 1)


def relative_coefficients(identity: Tensor, own: Tensor, driver: Tensor) -> Tensor:
    """(T, 52) of own (1, 52) and driver (T, 52): own plus the driver's changes, in [0, 1].

    Blinks are set so that the lids close by the same share: eyes that shut still shut, whatever
    squint or glance the photo begins with. identity: (1, 478, 3) of the avatar.
    """
    result = (own + driver - driver[:1]).clamp(0, 1)
    mean = torch.zeros_like(identity)
    open_ = lid_gaps(mean, torch.zeros_like(own))
    gap = lid_gaps(mean, driver)
    start = torch.maximum(gap[:1], _OPEN * open_)
    closing = ((gap / start - _SHUT) / (1 - _SHUT)).clamp(0, 1)
    wanted = lid_gaps(identity, own) * closing + (gap - start).clamp_min(0)
    result[:, _BLINKS] = 0
    unblinked = lid_gaps(identity, result)
    blinking = result.clone()
    blinking[:, _BLINKS] = 1
    travel = (unblinked - lid_gaps(identity, blinking)).clamp_min(1e-3)
    result[:, _BLINKS] = ((unblinked - wanted) / travel).clamp(0, 1)
    return result


def lid_gaps(identity: Tensor, coefficients: Tensor) -> Tensor:
    """(T, 2) how far the left and the right eye are open, head units; negative beyond shut."""
    fitter = cpu_fitter()
    scaled = fitter.template.with_lid_gain(identity, coefficients)
    height = (fitter.mean + identity)[..., 1] + scaled @ fitter.shapes[..., 1]
    return torch.stack([(height[:, low] - height[:, up]).mean(1) for up, low in _LIDS], 1)


def turned_camera(
    avatar: Avatar, yaw_deg: float, pitch_deg: float, roll_deg: float, frontal: bool = False
) -> Camera:
    """The avatar's camera turned by angles, or facing it but for the angles."""
    angles = torch.tensor([[yaw_deg, pitch_deg, roll_deg]]) * (math.pi / 180)
    if not frontal:
        angles = angles + euler_from_rotation(avatar.camera.rotation)
    return Camera(rotation_from_euler(angles), avatar.camera.translation)


def orbit_cameras(avatar: Avatar, count: int, yaw_deg: float) -> Camera:
    """A loop of so many views: from the front to both sides, a little up and down."""
    phase = torch.from_numpy(np.arange(count) * (2 * np.pi / count)).float()
    yaw = math.radians(yaw_deg) * phase.sin()
    pitch = math.radians(_PITCH_IN_ORBIT_DEG) * (2 * phase).sin()
    rotation = rotation_from_euler(torch.stack([yaw, pitch, torch.zeros_like(yaw)], -1))
    return Camera(rotation, avatar.camera.translation.expand(count, 3))
