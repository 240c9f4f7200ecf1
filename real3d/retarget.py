"""Retargeting: what an avatar's head does when a motion drives it."""

import math

import numpy as np
import torch
from torch import Tensor

from real3d.avatar import Avatar
from real3d.camera import HEAD_UNIT_CM, Camera
from real3d.face.blendshapes import ARKIT_INDEX
from real3d.motion import Motion
from real3d.rotation import euler_from_rotation, rotation_from_euler

_BLINKS = [ARKIT_INDEX["eyeBlinkLeft"], ARKIT_INDEX["eyeBlinkRight"]]
_OPEN_AT_MOST = 0.5
"""A driver whose first frame has its eyes further shut than this is in the middle of a blink."""
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
        driver = relative_coefficients(avatar.coefficients, driver)
        turns = avatar.camera.rotation @ turns[:1].mT @ turns
    shift = torch.from_numpy(motion.translation - motion.translation[:1]) / HEAD_UNIT_CM
    reach = shift.new_tensor(_REACH)
    place = avatar.camera.translation + reach * torch.tanh(shift / reach)
    return Camera(turns, place), driver.clamp(0, 1)


def relative_coefficients(own: Tensor, driver: Tensor) -> Tensor:
    """(T, 52) of own (1, 52) and driver (T, 52): own plus the driver's changes, in [0, 1].

    Blinks are stretched, so that a driver's 1 is 1 whatever the photo's lids do.
    """
    result = own + driver - driver[:1]
    start = driver[:1, _BLINKS].clamp_max(_OPEN_AT_MOST)
    change = driver[:, _BLINKS] - start
    at_rest = own[:, _BLINKS]
    closing = at_rest + (1 - at_rest) * change / (1 - start)
    result[:, _BLINKS] = torch.where(change > 0, closing, at_rest + change)
    return result.clamp(0, 1)


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
