"""The line: photo, avatar, motion, frames. What `import real3d` offers."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from real3d.avatar import Avatar
from real3d.backdrop import TRANSPARENT
from real3d.camera import Camera
from real3d.device import resolve_device
from real3d.errors import Real3DError
from real3d.fitting import as_rows, fit_motion, fit_portraits, mesh_landmarks
from real3d.motion import Motion
from real3d.networks.geometry import Head
from real3d.networks.image_to_plane import Planes, fuse
from real3d.photo import Portrait
from real3d.renderer import Renderer, network_pictures, warped_frames
from real3d.retarget import orbit_cameras, retarget, turned_camera
from real3d.video_tracking import track_video
from real3d.weight_files import Model, load_weights

__all__ = [
    "fit_motion",
    "load",
    "mesh_landmarks",
    "orbit",
    "reconstruct",
    "redirect",
    "render",
    "render_geometric_warp",
    "track_video",
]

_BACKGROUNDS = (None, TRANSPARENT)


def load(weights: Path | str | None = None, device: str = "auto") -> Model:
    """The model on a device: auto, cpu, cuda or mps.

    weights: a folder, or one of the bundled: "real3d-512" (the default) or "real3d-512-open".
    Raises Real3DError for a device that is not there and for any defect of the weights.
    """
    return load_weights(weights, resolve_device(device))


@torch.no_grad()
def reconstruct(portraits: Portrait | list[Portrait], model: Model) -> Avatar:
    """An avatar of one portrait, or of several of one person.

    The planes of several photos are fused by what each showed; the most frontal one gives the
    picture that frames are looked up in.
    """
    portraits = [portraits] if isinstance(portraits, Portrait) else list(portraits)
    if not portraits:
        raise Real3DError("no portrait given. At least one photo is needed.")
    heads, best = fit_portraits(portraits)
    encoded = [_encoded(p, head, model) for p, head in zip(portraits, heads, strict=True)]
    planes = [found for found, _ in encoded]
    joined = planes[0] if len(planes) == 1 else fuse(planes)
    photo, head = portraits[best], heads[best]
    return Avatar(
        photo=torch.from_numpy(photo.image.copy()),
        alpha=_bytes(photo.alpha),
        identity=head.identity.clone(),
        camera=head.camera,
        coefficients=head.coefficients.clone(),
        planes=Planes(*(_half(tensor) for tensor in vars(joined).values())),
        features=_half(encoded[best][1]),
        weights_sha256=model.sha256,
    )


def _bytes(alpha: np.ndarray) -> Tensor:
    return torch.from_numpy((alpha * 255 + 0.5).astype(np.uint8))


def _half(tensor: Tensor) -> Tensor:
    return tensor.to("cpu", torch.float16)


def _encoded(portrait: Portrait, head: Head, model: Model) -> tuple[Planes, Tensor]:
    """Planes and features of one photo, float32 on the model's device."""
    image, alpha = torch.from_numpy(portrait.image.copy()), _bytes(portrait.alpha)
    photo, matte = network_pictures(image, alpha, model.config.image_px, model.device)
    head = Head(
        head.identity.to(model.device),
        head.coefficients.to(model.device),
        head.camera.to(model.device),
    )
    with model.autocast():
        encoding = model.network.encode(photo, matte, head)
    found = (tensor.float() for tensor in vars(encoding.planes).values())
    return Planes(*found), encoding.features.float()


def render(
    avatar: Avatar,
    motion: Motion | None = None,
    *,
    model: Model,
    cameras: Camera | None = None,
    coefficients: Tensor | np.ndarray | None = None,
    size: int = 512,
    relative: bool = True,
    background: str | None = None,
) -> Iterator[np.ndarray]:
    """Frames of an avatar driven by a motion, or by cameras of T and coefficients (T, 52).

    relative: a motion's changes since its first frame are added to the photo's own pose and
    expression. Yields (size, size, 3) uint8 RGB, or straight-alpha RGBA with background
    "transparent", one at a time.

    Raises Real3DError when neither or both kinds of driver are given, or they do not fit.
    """
    if (motion is None) == (cameras is None and coefficients is None):
        raise Real3DError("render wants either a motion, or cameras and coefficients.")
    if motion is not None:
        cameras, coefficients = retarget(avatar, motion, relative)
    cameras, coefficients = _checked(cameras, coefficients)
    _require_background(background)
    return Renderer(avatar, model).frames(cameras, coefficients, size, background)


def render_geometric_warp(
    avatar: Avatar, *, cameras: Camera, coefficients: Tensor | np.ndarray, size: int = 512
) -> Iterator[np.ndarray]:
    """Frames (size, size, 3) uint8 of the photo warped by the mesh, without any network.

    The baseline that the network has to beat: exact on the mesh, rigid beside it, still elsewhere.
    """
    return warped_frames(avatar, *_checked(cameras, coefficients), size)


def orbit(
    avatar: Avatar,
    model: Model,
    *,
    seconds: float = 4.0,
    fps: float = 25.0,
    yaw_deg: float = 45.0,
    size: int = 512,
    background: str | None = None,
) -> Iterator[np.ndarray]:
    """Frames of a seamless swing around the head, to yaw_deg on either side of its front."""
    cameras = orbit_cameras(avatar, max(1, round(seconds * fps)), yaw_deg)
    coefficients = avatar.coefficients.expand(len(cameras), -1)
    _require_background(background)
    return Renderer(avatar, model).frames(cameras, coefficients, size, background)


def redirect(
    avatar: Avatar,
    model: Model,
    yaw: float = 0.0,
    pitch: float = 0.0,
    roll: float = 0.0,
    *,
    size: int = 512,
    frontal: bool = False,
    coefficients: Tensor | np.ndarray | None = None,
    background: str | None = None,
) -> np.ndarray:
    """One frame of the head turned by degrees, with another expression (52,) if given.

    frontal: the angles count from facing the camera instead of from the photo's own pose.
    """
    for name, angle in (("yaw", yaw), ("pitch", pitch), ("roll", roll)):
        if not math.isfinite(angle):
            raise Real3DError(f"{name} is {angle}; wanted degrees.")
    camera = turned_camera(avatar, yaw, pitch, roll, frontal)
    asked = avatar.coefficients if coefficients is None else as_rows(coefficients).reshape(1, -1)
    _require_background(background)
    frames = Renderer(avatar, model).frames(*_checked(camera, asked), size, background)
    return next(frames)


def _checked(
    cameras: Camera | None, coefficients: Tensor | np.ndarray | None
) -> tuple[Camera, Tensor]:
    """Cameras and coefficients (T, 52) of as many frames."""
    if cameras is None or coefficients is None:
        raise Real3DError("cameras and coefficients are wanted together.")
    rows = as_rows(coefficients)
    if rows.ndim != 2 or rows.shape[1] != 52 or len(rows) != len(cameras):
        raise Real3DError(
            f"coefficients must be ({len(cameras)}, 52) for {len(cameras)} cameras. "
            f"Got {tuple(rows.shape)}."
        )
    return cameras, rows


def _require_background(background: str | None) -> None:
    if background not in _BACKGROUNDS:
        raise Real3DError(
            f"background {background!r}: wanted None (the photo's own) or {TRANSPARENT!r}. Put "
            "pictures and colours behind a transparent frame with real3d.backdrop."
        )
