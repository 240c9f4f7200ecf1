"""An avatar seen from several sides, and what texels look like in those views."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from real3d.avatar import Avatar
from real3d.backdrop import TRANSPARENT
from real3d.camera import Camera
from real3d.export.atlas import Texels
from real3d.export.mesh import Drawable, rasterised
from real3d.face.blendshapes import arkit_indices
from real3d.face.rasteriser import Rasteriser
from real3d.face.template import PIXEL_CLASSES, Template
from real3d.networks.layers import sample, smoothstep
from real3d.networks.neck import twisted
from real3d.renderer import Renderer
from real3d.rotation import euler_from_rotation, rotation_from_euler
from real3d.weight_files import Model

_VIEWS_DEG = ((0, 0), (-28, 0), (28, 0), (0, -22), (0, 20), (-55, 0), (55, 0))
"""Yaw and pitch that the avatar is seen from, beside the photo's own pose."""
VIEW_COUNT = len(_VIEWS_DEG) + 2
_OPENED = {"eyeBlink": 1.0, "jawOpen": 0.55, "mouthLowerDown": 0.4, "mouthUpperUp": 0.4}
"""A last view shows what the photo's expression hides: lids, teeth."""
_OWN_SHARE, OPENED_SHARE, _FALL_DEG, _LEAST_SHARE = 6.0, 0.002, 26.0, 1e-3
_BEHIND, _DEPTH_PX = 0.03, 512
"""A texel is shown when it lies at most this far behind the nearest surface."""
_NOTHING_THERE = 9.0
_FACING, _OPAQUE = (0.15, 0.75), (0.6, 0.95)


@dataclass(frozen=True)
class View:
    """One picture of the avatar."""

    picture: Tensor
    """(1, 4, S, S) RGBA in [0, 1], straight alpha."""
    camera: Camera
    coefficients: Tensor
    """(1, 52)."""
    share: float
    """How much it counts: less, the farther it is from the photo."""


@dataclass(frozen=True)
class Surface:
    """The texels of a mesh in the pose of one view."""

    posed: Tensor
    """(N, 3)."""
    normals: Tensor
    """(N, 3)."""
    texels: Texels
    classes: Tensor | None = None
    """(P, 1) pixel class of the texels; None where that does not matter."""


def views_of(avatar: Avatar, model: Model) -> Iterator[View]:
    """The photo's own pose, seven views around the front, and one with shut eyes and open mouth."""
    renderer, size = Renderer(avatar, model), len(avatar.photo)
    own = euler_from_rotation(avatar.camera.rotation)[0]
    asked = [(own, avatar.coefficients, _OWN_SHARE)]
    for yaw, pitch in _VIEWS_DEG:
        angles = torch.tensor([math.radians(yaw), math.radians(pitch), 0.0])
        away = math.degrees(float((angles - own)[:2].norm()))
        share = math.exp(-((away / _FALL_DEG) ** 2) / 2) + _LEAST_SHARE
        asked.append((angles, avatar.coefficients, share))
    asked.append((own, _opened(avatar.coefficients), OPENED_SHARE))
    for angles, coefficients, share in asked:
        camera = Camera(rotation_from_euler(angles[None]), avatar.camera.translation)
        frame = next(renderer.frames(camera, coefficients, size, TRANSPARENT))
        picture = torch.from_numpy(frame).permute(2, 0, 1)[None].float() / 255
        yield View(picture, camera, coefficients, share)


def _opened(coefficients: Tensor) -> Tensor:
    opened = coefficients.clone()
    for name, value in _OPENED.items():
        opened[:, arkit_indices(name)] = value
    return opened


def vertices_in(view: View, template: Template, avatar: Avatar) -> Tensor:
    """(1, N, 3) the avatar's template as a view shows it: its neck twists."""
    posed = template.posed(avatar.identity, view.coefficients)
    return twisted(posed, template.vertices[:, 1], avatar.camera, view.camera)


def template_depth(template: Template, vertices: Tensor, camera: Camera) -> Tensor:
    """(1, 2, D, D) nearest depth of a posed template (1, N, 3) and its pixel class."""
    projected = camera.project(vertices)
    raster = Rasteriser(template).draw(projected, _DEPTH_PX)
    depth = raster.interpolate(projected[..., 2:], _NOTHING_THERE)
    classes = torch.tensor([*PIXEL_CLASSES, -1])[template.layer][raster.triangle]
    classes = torch.where(raster.triangle >= 0, classes, -1)
    return torch.cat([depth, classes[:, None].float()], 1)


def shell_depth(points: Tensor, triangles: Tensor, camera: Camera) -> Tensor:
    """(1, 1, D, D) nearest depth of a shell's outside, points (N, 3)."""
    projected = camera.project(points[None])[0]
    raster = rasterised(Drawable.one_sided(points, triangles), projected, _DEPTH_PX)
    return raster.interpolate(projected[None, :, 2:], _NOTHING_THERE)


def looked_up(view: View, surface: Surface, nearest: Tensor) -> tuple[Tensor, Tensor]:
    """RGBA (P, 4) of texels in a view and how much they count (P, 1).

    nearest: (1, 1 or 2, D, D) depth and, where the surface has classes, pixel class.
    """
    texels = surface.texels
    there = view.camera.project(surface.posed[None])[0]
    facing = -(surface.normals @ view.camera.rotation[0].T)[:, 2:]
    uv, depth, facing = texels.values(torch.cat([there, facing], 1)).split([2, 1, 1], 1)
    front = sample(nearest, uv[None, None], "nearest")[0, :, 0].T
    shown = (depth < front[:, :1] + _BEHIND) & (uv.abs().amax(1, keepdim=True) < 0.99)
    if surface.classes is not None:
        shown = shown & (front[:, 1:] == surface.classes)
    found = sample(view.picture, uv[None, None])[0, :, 0].T
    share = view.share * shown * smoothstep(facing, *_FACING) ** 2
    return found, share


def opaque(found: Tensor) -> Tensor:
    """(P, 1) how far RGBA texels (P, 4) are the person and not the background."""
    return smoothstep(found[:, 3:], *_OPAQUE)
