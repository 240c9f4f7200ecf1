"""What a photo gives: as it is, warped by the mesh, and reconstructed by real3d."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from pretrain_synthetic.landmarks import MESH_COUNT
from real3d.camera import HEAD_UNIT_CM

if TYPE_CHECKING:
    from torch import Tensor

    from pretrain_synthetic.people import View
    from real3d.avatar import Avatar
    from real3d.camera import Camera
    from real3d.photo import Portrait
    from real3d.weight_files import Model

METHODS = ("copy", "warp", "real3d")
"""The photo as it is; the photo warped by the mesh alone; the network."""
_UNIT_DM = HEAD_UNIT_CM / 10


@dataclass(frozen=True)
class Shot:
    """A true view and its camera's distance."""

    view: "View"
    distance_dm: float
    """Of the head's landmarks from the camera."""


@dataclass(frozen=True)
class Shown:
    """One view as a method shows it."""

    picture: np.ndarray
    """(size, size, 3) uint8."""
    matte: np.ndarray | None = None
    """(size, size) float32."""
    depth_dm: np.ndarray | None = None
    """(n, n) float32 along the view axis from the camera, a value a ray; NaN where the volume is
    empty."""


def shown_from(source: Shot, shots: list[Shot], model: "Model") -> dict[str, list[Shown]]:
    """Method to every shot as shown from the source's photo, at half of its size.

    Motion is that of the shots' true landmarks and coefficients, as from a tracker without error.
    """
    from real3d.fitting import fit_motion
    from real3d.pipeline import reconstruct, render_geometric_warp

    avatar, size = reconstruct(portrait_of(source.view), model), len(source.view.frame.rgb) // 2
    landmarks = np.stack([shot.view.landmarks for shot in shots]).astype(np.float32)
    amounts = np.stack([shot.view.coefficients for shot in shots]).astype(np.float32)
    cameras, coefficients = fit_motion(avatar, landmarks, amounts)
    warped = render_geometric_warp(avatar, cameras=cameras, coefficients=coefficients, size=size)
    unchanged = Shown(shrink(source.view.frame.rgb, size))
    rendered = network_views(avatar, model, cameras, coefficients, size)
    scales = _scales(avatar, cameras, shots)
    return {
        "copy": [unchanged] * len(shots),
        "warp": [Shown(picture) for picture in warped],
        "real3d": [
            Shown(view.picture, view.matte, view.depth_dm * scale)
            for view, scale in zip(rendered, scales, strict=True)
        ],
    }


def _scales(avatar: "Avatar", cameras: "Camera", shots: list[Shot]) -> np.ndarray:
    """(T,) true over fitted size of the head in each shot, from the landmarks' distances: a picture
    alone does not tell how large a head is."""
    from real3d.fitting import cpu_fitter

    face = (cpu_fitter().template.landmarks + avatar.identity)[:, :MESH_COUNT]
    fitted = cameras.to_camera(face.expand(len(shots), -1, -1))[..., 2].mean(1).numpy() * _UNIT_DM
    return np.array([shot.distance_dm for shot in shots]) / fitted


def portrait_of(view: "View") -> "Portrait":
    """A view as a portrait: landmarks and matte are the truth, so that the tracker's errors stay
    out of the figures."""
    from real3d.face.crop import CropWindow
    from real3d.photo import Portrait

    frame, side = view.frame, len(view.frame.rgb)
    return Portrait(
        image=frame.rgb,
        alpha=frame.alpha.astype(np.float32),
        landmarks=view.landmarks.astype(np.float32),
        coefficients=view.coefficients.astype(np.float32),
        window=CropWindow(side / 2, side / 2, side),
        original=frame.rgb,
    )


def network_views(
    avatar: "Avatar", model: "Model", cameras: "Camera", coefficients: "Tensor", size: int
) -> Iterator[Shown]:
    """T views of an avatar, their depth in the scale of its fitted head."""
    import torch

    from real3d.networks.geometry import Head
    from real3d.renderer import encoding_of

    encoding, network = encoding_of(avatar, model), model.network
    for k in range(len(cameras)):
        rows = slice(k, k + 1)
        target = Head(
            encoding.head.identity,
            coefficients[rows].to(model.device),
            cameras[rows].to(model.device),
        )
        with torch.inference_mode(), model.autocast():
            geometry = network.geometry.target(encoding.geometry, target)
            frame = network.render(encoding, geometry, target)
        picture = (frame.image[0].float().permute(1, 2, 0).cpu().numpy() + 1) * 127.5
        seen = frame.volume.alpha[0, 0].float().cpu().numpy() > 0.5
        depth = np.where(seen, frame.volume.depth[0, 0].float().cpu().numpy(), np.nan)
        yield Shown(
            shrink(np.clip(picture + 0.5, 0, 255).astype(np.uint8), size),
            shrink(frame.alpha[0, 0].float().cpu().numpy(), size),
            (depth + float(cameras.translation[k, 2])) * _UNIT_DM,
        )


def shrink(image: np.ndarray, size: int) -> np.ndarray:
    """(size, size, ...) of a square picture, averaged."""
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
