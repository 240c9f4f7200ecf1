"""From heads to frames: an avatar prepared once for a model, then rendered in any pose.

Rendering has no randomness: the same avatar, model and poses give the same frames.
"""

import functools
from collections.abc import Iterator
from dataclasses import fields
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from real3d.avatar import Avatar
from real3d.backdrop import TRANSPARENT
from real3d.camera import Camera, pixel_grid
from real3d.errors import Real3DError
from real3d.fitting import as_rows, cpu_fitter
from real3d.networks.geometric_warp import warp_grid
from real3d.networks.geometry import Geometry, Head
from real3d.networks.htb_super_resolution import CANDIDATES
from real3d.networks.image_to_plane import Planes
from real3d.networks.layers import enlarge, pull_push, sample, smoothstep
from real3d.networks.model import Encoding, Frame
from real3d.networks.plates import Plates
from real3d.networks.volume import Rays
from real3d.tensors import map_tensors
from real3d.weight_files import Model, bundled_name

_BATCH_ON_GPU = 8
_CLEAR = 1 / 255
_OPAQUE, _OWN_COLOUR = 0.97, (0.6, 0.97)
"""Alpha from which on colours are a person's alone, and between which others are mixed in."""
_TORSO_REDUCTION = 8
_ROOM = 3
"""For so many pixels of triangles' boxes there is room in recorded runs, against the picture's: a
head takes 1.2 to 1.5, and 2.1 where it is two units nearer."""
T = TypeVar("T")


class Renderer:
    """One avatar on one model's device, with everything that depends on the photo computed."""

    def __init__(self, avatar: Avatar, model: Model):
        _require_fit(avatar, model)
        self._model, self._avatar = model, avatar
        self._batch = _BATCH_ON_GPU if model.device.type == "cuda" else 1
        self._encoding = encoding_of(avatar, model)

    def frames(
        self, cameras: Camera, coefficients: Tensor, size: int, background: str | None = None
    ) -> Iterator[np.ndarray]:
        """Frames of heads, streamed: (size, size, 3) uint8 RGB.

        cameras of T, coefficients (T, 52). With background "transparent" (size, size, 4) RGBA with
        straight alpha.
        """
        coefficients = as_rows(coefficients)
        for rows in torch.arange(len(coefficients)).split(self._batch):
            yield from self._rendered(
                cameras[rows.to(cameras.rotation.device)], coefficients[rows], size, background
            )

    @torch.inference_mode()
    def _rendered(
        self, cameras: Camera, coefficients: Tensor, size: int, background: str | None
    ) -> np.ndarray:
        """(B, size, size, 3 or 4)."""
        model, count = self._model, len(coefficients)
        identity = self._encoding.head.identity.expand(count, -1, -1)
        head = Head(identity, coefficients.to(model.device), cameras.to(model.device))
        draw = functools.partial(_drawn, model, size, background)
        if count in (1, self._batch):
            found = model.graphs.replayed(
                (count, size, background),
                functools.partial(draw, _ROOM * model.config.image_px**2),
                self._encoding,
                head,
            )
            if found is not None and found[1].all():
                return found[0].cpu().numpy()
        return draw(None, self._encoding, head)[0].cpu().numpy()


@torch.inference_mode()
def encoding_of(avatar: Avatar, model: Model) -> Encoding:
    """What the network knows of an avatar's photo: stored planes, the rest computed again."""
    network, device = model.network, model.device
    photo, alpha = network_pictures(avatar.photo, avatar.alpha, model.config.image_px, device)
    head = Head(
        avatar.identity.to(device), avatar.coefficients.to(device), avatar.camera.to(device)
    )
    planes = Planes(*(getattr(avatar.planes, f.name).to(device).float() for f in fields(Planes)))
    geometry = network.geometry.source(head)
    rays = Rays(head.camera, geometry.ray_depth, geometry.ray_to_canonical, geometry.ray_firmness)
    with model.autocast():
        volume = network.volume(planes, network.geometry.prior, rays, False)
    features = avatar.features.to(device).float()
    plates = Plates.of(photo, alpha, head, geometry, network.geometry.template)
    return Encoding(photo, alpha, features, planes, plates, head, geometry, volume)


def network_pictures(
    photo: Tensor, alpha: Tensor, image_px: int, device: torch.device | str = "cpu"
) -> tuple[Tensor, Tensor]:
    """A photo (1, 3, s, s) in [-1, 1] and its matte (1, 1, s, s), as the network takes them.

    photo: (S, S, 3) uint8. alpha: (S, S) uint8. image_px: s.
    """
    picture = photo.to(device).permute(2, 0, 1)[None].float() / 255
    matte = alpha.to(device)[None, None].float() / 255
    return _resized(picture, image_px) * 2 - 1, _resized(matte, image_px)


def warped_frames(
    avatar: Avatar, cameras: Camera, coefficients: Tensor, size: int
) -> Iterator[np.ndarray]:
    """(size, size, 3) uint8 frames of the photo warped by the mesh alone, on the CPU."""
    geometry = _cpu_geometry(len(avatar.photo))
    photo, _ = network_pictures(avatar.photo, avatar.alpha, len(avatar.photo))
    own = Head(avatar.identity, avatar.coefficients, avatar.camera)
    source, cameras, coefficients = geometry.source(own), cameras.to("cpu"), as_rows(coefficients)
    for k in range(len(coefficients)):
        head = Head(avatar.identity, coefficients[k : k + 1], cameras[k : k + 1])
        target = geometry.target(source, head)
        warped = sample(photo, warp_grid(geometry, source, own, target, head))
        yield from _pixels(_resized(warped * 0.5 + 0.5, size)).numpy()


@functools.cache
def _cpu_geometry(image_px: int) -> Geometry:
    return Geometry(cpu_fitter().template, image_px)


def _drawn(
    model: Model,
    size: int,
    background: str | None,
    room: int | None,
    source: Encoding,
    head: Head,
) -> tuple[Tensor, Tensor]:
    """Frames (B, size, size, 3 or 4) uint8, and (B,) whether there was room for all of the mesh.

    source: with B = 1. head: B of them.
    """
    source = _repeated(source, len(head.coefficients))
    target = model.network.geometry.target(source.geometry, head, room)
    with model.autocast():
        frame = model.network.render(source, target, head)
    if background == TRANSPARENT:
        return _transparent_pixels(frame, source, size), target.whole
    return _pixels(_resized(frame.image.float() * 0.5 + 0.5, size)), target.whole


def _require_fit(avatar: Avatar, model: Model) -> None:
    config = model.config
    wanted = (1, config.plane_channels, config.ray_px, config.ray_px)
    same = tuple(avatar.planes.frontal.shape) == wanted
    if not same or avatar.weights_sha256 != model.sha256:
        name = bundled_name(avatar.weights_sha256)
        raise Real3DError(
            f"this avatar was made with {name or 'other weights'}. Reconstruct the photo again "
            f"with these, or pass {'--weights ' + name if name else 'its own by --weights'}."
        )


def _repeated(value: T, count: int) -> T:
    """A dataclass of tensors with B = 1, repeated to B = count without copying."""
    return map_tensors(lambda tensor: tensor.expand(count, *tensor.shape[1:]), value)


def _resized(image: Tensor, size: int) -> Tensor:
    """(B, C, size, size) of square pictures (B, C, S, S): averaged down or cubic up."""
    if image.shape[-1] == size:
        return image
    if image.shape[-1] % size == 0:
        return F.avg_pool2d(image, image.shape[-1] // size)
    return F.interpolate(image, (size, size), mode="bicubic", antialias=True, align_corners=False)


def _pixels(image: Tensor) -> Tensor:
    """(B, S, S, C) uint8 of (B, C, S, S) in [0, 1]."""
    rounded = (image.clamp(0, 1) * 255 + 0.5).to(torch.uint8)
    return rounded.permute(0, 2, 3, 1).contiguous()


def _transparent_pixels(frame: Frame, source: Encoding, size: int) -> Tensor:
    """(B, size, size, 4): the person alone, with straight alpha."""
    person, alpha = _taken_out(frame, source)
    colour = _without_rim(person / alpha.clamp_min(_CLEAR), alpha)
    colour, alpha = _resized(torch.cat([colour * alpha, alpha], 1), size).split([3, 1], 1)
    alpha = torch.where(alpha > _CLEAR, alpha, 0)
    return _pixels(torch.cat([colour / alpha.clamp_min(_CLEAR), alpha], 1))


def _taken_out(frame: Frame, source: Encoding) -> tuple[Tensor, Tensor]:
    """(B, 3, S, S) in [0, 1] times alpha, and alpha (B, 1, S, S): over the background, the picture.

    The picture is a weighted sum, so the background can be taken out; and so can what head and
    torso have of the photo beside its person.
    """
    given, weights = frame.candidates, frame.composite.weights
    torso_flow = enlarge(frame.torso.flow, _TORSO_REDUCTION)
    alpha = frame.alpha.float()
    for name, flow, where in (("look-up", frame.flow, given.loose), ("torso", torso_flow, 1)):
        place = pixel_grid(alpha.shape[-1], alpha.device) + flow.permute(0, 2, 3, 1)
        weight = weights[:, CANDIDATES.index(name), None] * where
        alpha = alpha - weight * (1 - sample(source.alpha, place))
    alpha = alpha.clamp(0, 1)
    image, background = frame.image.float() * 0.5 + 0.5, source.plates.background * 0.5 + 0.5
    return image - (1 - alpha) * background, alpha


def _without_rim(colour: Tensor, alpha: Tensor) -> Tensor:
    """Colours (B, 3, S, S) that are continued from within where a person ends.

    There the photo's colours are half the background's.
    """
    within = pull_push(colour, (alpha > _OPAQUE).float())
    return torch.lerp(within, colour, smoothstep(alpha, *_OWN_COLOUR)).clamp(0, 1)
