"""What a rendered pair is judged by; every function returns values that the loop weighs."""

import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from real3d.camera import Camera, pixel_grid
from real3d.networks.geometry import TargetGeometry
from real3d.networks.htb_super_resolution import CANDIDATES
from real3d.networks.image_to_plane import Planes
from real3d.networks.layers import enlarge, sample, smoothstep
from real3d.networks.model import Encoding, Frame, Real3DNetwork
from real3d.networks.neck import turn_between
from real3d.networks.volume import known_at
from real3d.tensors import constant
from real3d.training.batches import PSEUDO, SYNTHETIC, Batch, crops, square_crops
from real3d.training.free_views import Moment
from real3d.training.perceptual import VGGFeatures

LIPS = (61, 291, 0, 17, 13, 14, 78, 308)
RIGHT_EYE, LEFT_EYE = (33, 133, 159, 145), (263, 362, 386, 374)
FACE = (10, 152, 234, 454)
MOUTH_HALF, EYE_HALF, FACE_HALF, SIDE_HALF = 0.25, 0.15, 0.5, 0.4
DETAIL_PX, FACE_PX, SIDE_PX = 96, 256, 160
_SIDE = (0.45, -0.15, 0.3)
"""Above and behind the left ear, head frame."""
_NECK_TOP, _NECK_SURE, _NECK_END = 0.93, 0.86, 1.0
"""Heights of the head frame (y down): a matte's person stops being head at the first; between the
others that is unsure."""
_TURNED, _SHOULDERS = (0.3, 0.5), (0.65, 0.85)
"""Radians and heights of the head frame (y down) from which a picture's shoulders are no example:
where a camera goes around a person they turn with the head."""
_SIDE_TURN = 0.35
"""Radians from which a head's side is one that its source hardly shows."""
_VGG_WEIGHTS = (0.3, 0.5, 0.7, 0.7)
_SMALLEST = 1e-4
_FAR_STEP = 0.1
"""Length over which opacity is reckoned far from the head."""
_OF_HEADS = [CANDIDATES.index(name) for name in ("look-up", "mirror", "generated", "hair")]


@dataclass(frozen=True)
class Details:
    """Crops of one set of pictures."""

    mouth: Tensor
    eyes: Tensor
    """(2B, C, ·, ·), the subject's left ones mirrored."""
    face: Tensor | None = None
    side: Tensor | None = None


def detail_crops(pictures: Tensor, landmarks: Tensor, camera: Camera | None = None) -> Details:
    """Mouth and eyes, with their camera face and side too, of pictures (B, C, S, S)."""
    right = crops(pictures, landmarks, RIGHT_EYE, EYE_HALF, DETAIL_PX)
    left = crops(pictures, landmarks, LEFT_EYE, EYE_HALF, DETAIL_PX)
    mouth, eyes = crops(pictures, landmarks, LIPS, MOUTH_HALF, DETAIL_PX), (right, left.flip(3))
    if camera is None:
        return Details(mouth, torch.cat(eyes))
    face = crops(pictures, landmarks, FACE, FACE_HALF, FACE_PX)
    return Details(mouth, torch.cat(eyes), face, side_crops(pictures, camera))


def side_crops(pictures: Tensor, camera: Camera) -> Tensor:
    """(B, C, ·, ·) sides of heads, ear, temple and hair, of pictures (B, C, S, S) by cameras (B).

    The one that is nearer to the camera; the subject's left ones are mirrored.
    """
    left = camera.rotation[:, 2, 0] < 0
    side = torch.where(left, 1.0, -1.0)[:, None, None]
    middle = constant(_SIDE, pictures).view(1, 1, 3)
    middle = torch.cat([side * middle[..., :1], middle[..., 1:].expand(len(side), -1, -1)], 2)
    found = square_crops(pictures, camera.project(middle)[:, 0, :2], SIDE_HALF, SIDE_PX)
    return torch.where(left.view(-1, 1, 1, 1), found.flip(3), found)


@torch.no_grad()
def turned_sides(batch: Batch) -> Tensor:
    """(B,) bool, whether a true picture shows a head far from where its source does."""
    turn = turn_between(batch.source_head.camera, batch.target_head.camera)
    return (turn > _SIDE_TURN) & (batch.kind != SYNTHETIC)


@torch.no_grad()
def pixel_weights(batch: Batch, target: TargetGeometry) -> Tensor:
    """(B, 1, S, S): the person, and above all lips, eyes and the mouth's inside."""
    size = batch.target.shape[-1]
    grid = pixel_grid(size, batch.target.device)
    weight = 1 + batch.target_alpha
    for points, sigma, amount in ((LIPS, 0.13, 3.0), (LEFT_EYE, 0.08, 2.5), (RIGHT_EYE, 0.08, 2.5)):
        centre = batch.landmarks[:, list(points), :2].mean(1)[:, None, None]
        away = (grid - centre).square().sum(-1)[:, None]
        weight = weight + amount * torch.exp(-away / (2 * sigma**2))
    inner = F.max_pool2d(target.classes[:, 1:].amax(1, keepdim=True), 3, 1, 1)
    weight = weight + 4 * inner
    false_source = (batch.kind == PSEUDO).float().view(-1, 1, 1, 1)
    return weight * (1 - 0.6 * false_source * (1 - batch.target_alpha))


@torch.no_grad()
def _above_shoulders(camera: Camera, size: int) -> Tensor:
    """(B, 1, size, size) 1 where cameras see the head, 0 at the shoulders."""
    return enlarge(1 - smoothstep(camera.heights(size // 8), *_SHOULDERS), 8)


@torch.no_grad()
def exemplary(batch: Batch) -> Tensor:
    """(B, 1, S, S) where a target shows what is wanted: shoulders turn less than heads."""
    camera = batch.target_head.camera
    turned = smoothstep(turn_between(batch.source_head.camera, camera), *_TURNED)
    turned = (turned * (batch.kind != PSEUDO)).view(-1, 1, 1, 1)
    return 1 - turned * (1 - _above_shoulders(camera, batch.target.shape[-1]))


def believed(frame: Frame, batch: Batch, exemplary: Tensor) -> Frame:
    """Frames that are right where their targets are no example, so that nothing is learned."""
    return dataclasses.replace(
        frame,
        image=torch.lerp(batch.target, frame.image, exemplary),
        alpha=torch.lerp(batch.target_alpha, frame.alpha, exemplary),
    )


def feature_distance(vgg: VGGFeatures, made: Tensor, true: Tensor, blocks: int = 4) -> Tensor:
    """Weighted relative L1 distance of VGG features of pictures in [-1, 1]; a scalar."""
    with torch.no_grad():
        wanted = vgg((true + 1) / 2)[:blocks]
    found = vgg((made + 1) / 2)[:blocks]
    parts = zip(found, wanted, _VGG_WEIGHTS, strict=False)
    return sum(
        w * (f.float() - t.float()).abs().mean() / t.float().abs().mean().clamp_min(1e-3)
        for f, t, w in parts
    )


@dataclass(frozen=True)
class HeadLabels:
    """What of a picture is head, at the rays' size."""

    head: Tensor
    sure: Tensor
    person: Tensor


@torch.no_grad()
def head_labels(batch: Batch, which: int, size: int) -> HeadLabels:
    """Head of the sources (which = 0) or targets (1): the matte above the neck, or true labels."""
    alpha = batch.target_alpha if which else batch.source_alpha
    camera = (batch.target_head if which else batch.source_head).camera
    person = F.adaptive_avg_pool2d(alpha, size)
    y = camera.heights(size)
    sure = ((y < _NECK_SURE) | (y > _NECK_END)).float()
    head = person * (y < _NECK_TOP)
    label = batch.head_label[:, which]
    known = (batch.kind == SYNTHETIC).view(-1, 1, 1, 1)
    true_head = F.adaptive_avg_pool2d((label > 0.75).float(), size)
    neck = F.adaptive_avg_pool2d(((label > 0.25) & (label < 0.75)).float(), size)
    return HeadLabels(
        torch.where(known, true_head + neck * (y < _NECK_TOP), head),
        torch.where(known, torch.maximum(sure, (neck < 0.05).float()), sure),
        person,
    )


def cross_entropy(found: Tensor, wanted: Tensor) -> Tensor:
    """Per pixel, of probabilities."""
    found = found.float().clamp(_SMALLEST, 1 - _SMALLEST)
    return -(wanted * found.log() + (1 - wanted) * (1 - found).log())


def total_variation(flow: Tensor) -> Tensor:
    """Mean absolute difference of neighbours; a scalar."""
    return (flow[:, :, 1:] - flow[:, :, :-1]).abs().mean() + (
        flow[..., 1:] - flow[..., :-1]
    ).abs().mean()


def structure_losses(
    batch: Batch, source: Encoding, frame: Frame, nose_depth: Tensor, exemplary: Tensor
) -> dict[str, Tensor]:
    """Losses of the volume, the look-up through its surface, mattes, depth and torso; scalars.

    nose_depth: (B,) of the target mesh, behind the head's origin. exemplary: (B, 1, S, S), see
    the function of that name.
    """
    rays, flow = frame.volume.alpha.shape[-1], source.volume.alpha.shape[-1]
    true = (batch.kind != PSEUDO).float().view(-1, 1, 1, 1)
    now, before = head_labels(batch, 1, rays), head_labels(batch, 0, flow)
    target = F.adaptive_avg_pool2d(batch.target, rays)
    photo = F.adaptive_avg_pool2d(batch.source, flow)
    volume_colour = torch.tanh(frame.volume.features[:, :3].float())
    source_colour = torch.tanh(source.volume.features[:, :3].float())
    colour = ((volume_colour - target).abs() * now.head * now.sure).mean()
    own = ((source_colour - photo).abs() * before.head * before.sure * true).mean()
    alpha = (cross_entropy(frame.volume.alpha, now.head) * now.sure).mean()
    own_alpha = (cross_entropy(source.volume.alpha, before.head) * before.sure * true).mean()
    half = F.avg_pool2d(batch.target, 2)
    body = now.person * (1 - now.head)
    torso_picture = F.avg_pool2d(frame.candidates.torso, 4)
    looked_up = (frame.surface_look_up - half).abs()
    certain = enlarge((now.head > 0.9) * now.sure * frame.surface_seen, 2)
    person = F.avg_pool2d(frame.alpha, 4)
    example = F.avg_pool2d(exemplary, 4)
    torso_alpha = cross_entropy(F.avg_pool2d(frame.candidates.torso_alpha, 4), body)
    return {
        "volume": colour + 0.5 * own,
        "alpha": alpha + 0.5 * own_alpha,
        "person": (cross_entropy(person, now.person) * true).mean(),
        "look_up": (looked_up * certain).mean(),
        "torso": ((torso_picture - target).abs() * body * true * example).mean()
        + 0.1 * (torso_alpha * example).mean(),
        "smooth_flow": total_variation(frame.torso.flow) + 0.5 * total_variation(frame.refinement),
        "depth": _depth_loss(batch, frame, now, nose_depth),
    }


def emptiness_loss(network: Real3DNetwork, planes: Planes, points: int = 2048) -> Tensor:
    """Opacity at random places far from the template, where nothing need be; a scalar.

    What pictures show there, long hair, outweighs it; what no picture shows it clears away.
    """
    frontal, prior = planes.frontal, network.geometry.prior
    places = 2 * torch.rand(len(frontal), points, 3, device=frontal.device) - 1
    far = (known_at(prior, places) <= prior.min() + 0.1).float()
    density, _ = network.volume.decode(planes, prior, places)
    return ((1 - torch.exp(-_FAR_STEP * density)) * far).mean()


def discord(frame: Frame) -> Tensor:
    """How different the pictures are that a head is mixed from; a scalar.

    Two of them, half each, are a double exposure, which costs little where nobody knows what is
    right: mean distance of a head's candidates from their mixture.
    """
    given, made = frame.candidates, frame.composite
    weights = made.weights[:, _OF_HEADS]
    parts = torch.stack([given.look_up, given.mirror, made.generated, given.hair], 1)
    share = weights[:, :, None]
    mixed = (share * parts).sum(1) / weights.sum(1)[:, None].clamp_min(_SMALLEST)
    return (share * (parts - mixed[:, None]).abs()).sum(1).mean()


def unsteadiness(turned: Tensor, moment: Moment) -> Tensor:
    """How much of a head's picture does not turn with it; a scalar.

    turned (F, 3, S, S): the free views, of which the last are the first a moment later.
    """
    count = len(moment.seen)
    if not count:
        return turned.new_zeros(())
    before, after = (F.avg_pool2d(x, 2) for x in (turned[:count], turned[-count:]))
    moved = sample(before, F.avg_pool2d(moment.uv.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1))
    return ((after - moved).abs() * F.avg_pool2d(moment.seen, 2)).mean()


def _depth_loss(batch: Batch, frame: Frame, labels: HeadLabels, nose_depth: Tensor) -> Tensor:
    size = frame.volume.depth.shape[-1]
    wanted = F.interpolate(batch.depth, size=(size, size), mode="nearest")
    found = frame.volume.depth - nose_depth.view(-1, 1, 1, 1)
    known = ((wanted < 8) & (labels.head > 0.95)).float()
    return ((found - wanted).abs().clamp(max=0.5) * known).sum() / (known.sum() + 1)
