"""The whole network: a photo is encoded once, then rendered in any pose and expression."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from real3d.camera import Camera, pixel_grid
from real3d.face.template import EYE_CLASSES, TEETH_CLASS, Template
from real3d.networks.config import NetworkConfig
from real3d.networks.ears import ears_at
from real3d.networks.enamel import enamel
from real3d.networks.geometry import Geometry, Head, SourceGeometry, TargetGeometry
from real3d.networks.grazing import ample_hair, better_mirrored, round_facing, soft
from real3d.networks.htb_super_resolution import Candidates, Composite, HTBSuperResolution
from real3d.networks.image_to_plane import ImageToPlane, Planes, fuse
from real3d.networks.layers import (
    Residual,
    dense,
    down,
    enlarge,
    sample,
    smoothstep,
    softened,
    zero_conv,
)
from real3d.networks.lids import lashes
from real3d.networks.lips import seam
from real3d.networks.motion_adapter import MotionAdapter
from real3d.networks.neck import torso_camera, turn_between
from real3d.networks.plates import Plates
from real3d.networks.torso import Torso, TorsoMotion, shown_torso, torso_alpha
from real3d.networks.volume import Rays, RenderedVolume, Volume
from real3d.tensors import constant, map_tensors

_MESH_SHARE = 0.02
"""Weight of the mesh's position where the volume is empty."""
_FLOW_REACH = 0.08
_JAW_TO_NECK = (0.4, 0.55)
"""Heights of the template (y down) between which its neck begins behind the jaw."""
_COLLAR = (0.75, 0.93)
"""Heights (y down) between which head becomes torso, where it has no face, …"""
_TURNED = (0.2, 0.45)
"""… the more, the farther it is turned, radians: a collar would be drawn along, and what is looked
up shows more of what is beside the person."""
_NECK_END, _NECK_TO_CHIN = (0.7, 0.85), (0.3, 0.8)
"""Heights (y down) between which the template's neck widens to shoulders, and its firmness between
which clothes are no longer before it."""
_COLLARS = (0.55, 0.72)
"""Heights (y down) between which the template begins to be hidden by collars: above, a head that is
turned far is bare, and looks up no clothes that are before it in the photo."""
_FEATHER = 9
"""Pixels over which what clothes cover of a neck begins."""
_SOMEBODY = (0.3, 0.7)
"""Matte of the photo between which it begins to show the person, so far turned: there, and in its
mirror image, a head is not made of what is beside it."""
_NECK_TO_FACE = (0.5, 0.9)
"""The template's firmness at the neck, and from where on there is face alone."""
_SEEN_BEHIND = 0.3
"""A point of hair this far behind the photo's surface still counts as shown: hair is thick, and its
depth a guess."""


@dataclass(frozen=True)
class Encoding:
    """Everything that depends on the photo alone."""

    photo: Tensor
    """(B, 3, S, S) in [-1, 1]."""
    alpha: Tensor
    """(B, 1, S, S)."""
    features: Tensor
    """(B, C, S/4, S/4)."""
    planes: Planes
    plates: Plates
    head: Head
    geometry: SourceGeometry
    volume: RenderedVolume
    """The head from the photo's own camera, at S/8."""


@dataclass(frozen=True)
class Correspondence:
    """Where a new view's pixels come from."""

    flow: Tensor
    """(B, 2, S, S) into the photo."""
    seen: Tensor
    """(B, 1, S, S) whether the photo shows it."""
    mirror_uv: Tensor
    """(B, S, S, 2) where the photo has the mirror image."""
    mirror_seen: Tensor
    """(B, 1, S, S)."""
    surface_uv: Tensor
    """(B, S, S, 2) where the volume's surface alone is in the photo."""
    surface_seen: Tensor
    """(B, 1, S/4, S/4)."""
    facing: Tensor
    """(B, 3, S, S) cosines between the surface and the camera, as TargetGeometry's."""
    eyes: Tensor
    """(B, 1, S, S) 1 where an eyeball shows."""


@dataclass(frozen=True)
class Frame:
    """A rendered view and what training looks at."""

    image: Tensor
    """(B, 3, S, S) in [-1, 1]."""
    alpha: Tensor
    """(B, 1, S, S) of the person: head and torso."""
    composite: Composite
    candidates: Candidates
    volume: RenderedVolume
    torso: TorsoMotion
    flow: Tensor
    """(B, 2, S, S) from a pixel to its look-up in the photo."""
    refinement: Tensor
    """(B, 2, S/8, S/8) what was added to the correspondence, except in the eyes."""
    surface_look_up: Tensor
    """(B, 3, S/2, S/2) the photo looked up through the volume's surface alone."""
    surface_seen: Tensor
    """(B, 1, S/4, S/4)."""


class FlowRefinement(nn.Module):
    """A small correction of where pixels come from, from what is found there."""

    def __init__(self, config: NetworkConfig, condition: int):
        super().__init__()
        self.condition = dense(2 * 52 + 24, condition)
        self.first = nn.Conv2d(2 * config.plane_channels + 9, 64, 3, padding=1)
        self.near, self.down = Residual(64, 64, condition), down(64, 96)
        self.far, self.up = Residual(96, 96, condition), Residual(96 + 64, 64, condition)
        self.last = zero_conv(64, 2)

    def forward(self, x: Tensor, pose: Tensor) -> Tensor:
        """(B, 2, n, n) normalised, from (B, ·, n, n)."""
        condition = self.condition(pose)
        near = self.near(self.first(x), condition)
        x = torch.cat([enlarge(self.far(self.down(near), condition), 2), near], 1)
        return _FLOW_REACH * torch.tanh(self.last(F.silu(self.up(x, condition))).float())


class Real3DNetwork(nn.Module):
    """Photo to encoding to frames; see NetworkConfig for sizes."""

    def __init__(self, config: NetworkConfig, template: Template):
        super().__init__()
        self.config = config
        self.geometry = Geometry(template, config.image_px)
        channels = config.plane_channels
        self.features = nn.Sequential(
            nn.Conv2d(4 * 16, 64, 3, padding=1),
            nn.SiLU(),
            Residual(64, 64),
            nn.Conv2d(64, channels, 3, padding=1),
        )
        self.image_to_plane = ImageToPlane(config)
        self.motion_adapter = MotionAdapter(config)
        self.volume = Volume(config)
        self.torso = Torso(config)
        self.flow = FlowRefinement(config, 128)
        self.htb = HTBSuperResolution(config)

    def encode(
        self,
        photo: Tensor,
        alpha: Tensor,
        head: Head,
        jitter: bool = False,
        partner: Tensor | None = None,
    ) -> Encoding:
        """Encode photos (B, 3, S, S) in [-1, 1] with mattes (B, 1, S, S) and fitted heads.

        partner (B,): which of them shows the same person; both photos' planes are fused.
        """
        with torch.autocast(photo.device.type, enabled=False):
            geometry = self.geometry.source(head)
            plates = Plates.of(photo, alpha, head, geometry, self.geometry.template)
        features = self.features(F.pixel_unshuffle(torch.cat([photo, alpha], 1), 4))
        planes = self.image_to_plane(photo, alpha, features, geometry, self.geometry.frontal_depth)
        if partner is not None:
            planes = fuse([planes, map_tensors(lambda tensor: tensor[partner], planes)])
        rays = Rays(
            head.camera, geometry.ray_depth, geometry.ray_to_canonical, geometry.ray_firmness
        )
        volume = self.volume(planes, self.geometry.prior, rays, jitter)
        return Encoding(photo, alpha, features, planes, plates, head, geometry, volume)

    def render(
        self,
        source: Encoding,
        target: TargetGeometry,
        head: Head,
        jitter: bool = False,
        painted: Tensor | None = None,
    ) -> Frame:
        """Render heads whose correspondence with the photo is target; painted: as in HTB-SR."""
        coefficients = torch.cat([head.coefficients, source.head.coefficients], 1)
        planes = Planes(
            source.planes.frontal + self._moved(source, target.frontal_move, coefficients),
            source.planes.side,
            source.planes.top,
            source.planes.hidden,
            source.planes.confidence,
        )
        rays = Rays(head.camera, target.ray_depth, target.ray_to_canonical, target.ray_firmness)
        volume = self.volume(planes, self.geometry.prior, rays, jitter)
        pose = _pose(source.head.camera, head.camera)
        condition = torch.cat([coefficients, pose], 1)

        found = self._correspondence(source, target, head, volume)
        refinement = self._refined(source, volume, found.flow, found.seen, condition)
        flow = found.flow + enlarge(refinement, 8) * (1 - found.eyes)
        torso = self._torso(source, head, volume)
        candidates = self._candidates(source, target, head.camera, volume, torso, flow, found)
        maps = F.avg_pool2d(torch.cat([target.canonical, target.normals], 1), 2)
        features = self._features(source, volume, torso, flow, candidates)
        composite = self.htb(candidates, maps, features, condition, painted)
        person = 1 - composite.weights[:, 3:4]
        surface = sample(source.photo, _reduced(found.surface_uv, 2))
        return Frame(
            composite.image, person, composite, candidates, volume, torso, flow, refinement,
            surface, found.surface_seen,
        )  # fmt: skip

    def _moved(self, source: Encoding, move: Tensor, coefficients: Tensor) -> Tensor:
        """(B, C, S/4, S/4) what the expression adds to the frontal plane: nothing to hair.

        Mouth and eyes alone go by the coefficients, the face around them by how it moves: else
        skin is crisp or hazy by what recordings such coefficients remind of.
        """
        geometry, own = self.geometry, source.head.coefficients
        moves = torch.cat([source.geometry.frontal_move, move], 1)
        around, within = self.motion_adapter(
            source.planes.hidden, moves, torch.cat([own, own], 1), coefficients
        )
        lively, face = (x.to(within.dtype) for x in (geometry.lively, geometry.face))
        return face * torch.lerp(around, within, lively)

    def _correspondence(
        self, source: Encoding, target: TargetGeometry, head: Head, volume: RenderedVolume
    ) -> Correspondence:
        """On the face the mesh decides, elsewhere the volume's surface."""
        size, device = volume.alpha.shape[-1], volume.alpha.device
        grid = pixel_grid(size, device)
        flat = grid.view(1, -1, 2).expand(len(volume.alpha), -1, -1)
        mesh = head.camera.unproject(flat, target.ray_depth.flatten(1))
        mesh = mesh.mT.unflatten(2, (size, size)) + target.ray_to_canonical
        canonical = (volume.canonical + _MESH_SHARE * mesh) / (volume.alpha.float() + _MESH_SHARE)
        there = canonical + target.ray_to_source
        uv, seen = _shown(source, there)
        surface_flow = enlarge((uv - grid).permute(0, 3, 1, 2), 4)
        facing = round_facing(there.detach(), source.head.camera, head.camera)
        ample = ample_hair(facing, there[:, 1:2])
        with torch.no_grad():
            mirror_uv, mirror_seen = _shown(
                source, there * constant((-1, 1, 1), there)[:, None, None]
            )

        firm = F.avg_pool2d(target.firmness, 5, 1, 2) * target.hit
        full = pixel_grid(self.config.image_px, device)
        mesh_flow = (target.source_uv - full).permute(0, 3, 1, 2)
        left, right = (target.classes[:, k, None] for k in EYE_CLASSES)
        eyes = left + right
        on_mesh = torch.maximum(target.firmness * target.hit, eyes)
        around = enlarge(torch.cat([mirror_uv.permute(0, 3, 1, 2), mirror_seen], 1), 4)
        mirror_flow = torch.cat([target.mirror_uv.permute(0, 3, 1, 2), target.mirror_seen], 1)
        mirror = torch.where(on_mesh > 0.5, mirror_flow, around)
        return Correspondence(
            flow=torch.lerp(surface_flow, mesh_flow, firm),
            seen=torch.lerp(enlarge(seen * ample, 4), target.seen, firm),
            mirror_uv=mirror[:, :2].permute(0, 2, 3, 1),
            mirror_seen=torch.lerp(around[:, 2:], target.mirror_seen, on_mesh),
            surface_uv=full + surface_flow.permute(0, 2, 3, 1),
            surface_seen=seen,
            facing=torch.lerp(enlarge(facing, 4), target.facing, firm),
            eyes=eyes,
        )

    def _refined(
        self, source: Encoding, volume: RenderedVolume, flow: Tensor, seen: Tensor, pose: Tensor
    ) -> Tensor:
        size = self.config.flow_px
        grid = pixel_grid(size, flow.device) + F.avg_pool2d(flow, 8).permute(0, 2, 3, 1)
        found = sample(
            torch.cat([source.features.float(), F.avg_pool2d(source.photo, 4),
                       F.avg_pool2d(source.alpha, 4)], 1), grid,
        )  # fmt: skip
        own = F.avg_pool2d(
            torch.cat([volume.features.float(), volume.canonical, volume.alpha], 1), 2
        )
        return self.flow(torch.cat([own, found, F.avg_pool2d(seen, 8)], 1), pose)

    def _torso(self, source: Encoding, head: Head, volume: RenderedVolume) -> TorsoMotion:
        size, own = self.config.flow_px, source.head.camera
        shoulders = torso_camera(own, head.camera)
        grid = pixel_grid(size, volume.alpha.device)
        flat = grid.view(1, -1, 2).expand(len(volume.alpha), -1, -1)
        with torch.no_grad():
            turned = shoulders.unproject(flat, torch.zeros_like(flat[..., 0]))
            turn = (own.project(turned)[..., :2] - flat).mT
        return self.torso(
            F.avg_pool2d(source.photo, 8),
            F.avg_pool2d(source.alpha, 8),
            F.avg_pool2d(volume.alpha, 2),
            turn.unflatten(2, (size, size)),
            _pose(own, shoulders),
        )

    def _candidates(
        self,
        source: Encoding,
        target: TargetGeometry,
        camera: Camera,
        volume: RenderedVolume,
        torso: TorsoMotion,
        flow: Tensor,
        found: Correspondence,
    ) -> Candidates:
        grid = pixel_grid(self.config.image_px, flow.device)
        torso_grid = grid + enlarge(torso.flow, 8).permute(0, 2, 3, 1)
        own = source.head.camera
        far = smoothstep(turn_between(own, camera), *_TURNED).view(-1, 1, 1, 1)
        clothes = far * source.plates.clothes  # never head, and before the neck
        own_head = _above_collar(source.volume.alpha.float(), own, far)
        own_head = own_head * (1 - F.avg_pool2d(clothes, 8))
        own_head = torch.maximum(own_head, source.geometry.ray_firmness)
        shown = shown_torso(source.alpha, own_head, own, clothes)
        above = _above_collar(volume.alpha.float(), camera, far)
        above = above * (1 - _worn(clothes, target, found))
        firm = target.firmness * target.hit
        before = sample(clothes, torso_grid) * (1 - smoothstep(firm, *_NECK_TO_CHIN))
        place = grid + flow.permute(0, 2, 3, 1)
        shade = lashes(target.canonical, self.geometry.upper_margins)
        shade = shade * seam(target.canonical, self.geometry.lip_margins, target.meeting)
        shut = (sample(source.plates.shut, place) + 1) * shade - 1
        photo = torch.lerp(source.photo, source.plates.person, far)
        nobody = far * (1 - smoothstep(source.alpha, *_SOMEBODY))
        bare = target.hit * (1 - smoothstep(target.canonical[:, 1:2], *_COLLARS))
        both = torch.cat([photo, nobody, clothes], 1)
        here, mirror = sample(both, place), sample(both, found.mirror_uv)
        seen = found.seen * _free(here, bare)
        covered = F.avg_pool2d(here[:, 4:], _FEATHER, 1, _FEATHER // 2)
        depth = enlarge(torch.cat([target.ray_depth, volume.depth], 1), 4)
        ears = ears_at(target.canonical, depth[:, :1], depth[:, 1:])
        eyeball, known = source.plates.eyes.at(target.canonical)
        loose = _loose(target)
        twice = far * seen * loose * (1 - better_mirrored(found.facing))
        return Candidates(
            look_up=torch.lerp(shut, here[:, :3], target.ample),
            seen=seen,
            soft=far * soft(found.facing),
            mirror=mirror[:, :3],
            mirror_seen=found.mirror_seen * _free(mirror, bare) * (1 - twice),
            hair=sample(source.plates.hair, found.surface_uv.detach()),
            loose=loose,
            ears=source.plates.bare_ears * ears,
            covered=covered,
            torso=sample(source.photo, torso_grid),
            torso_alpha=torso_alpha(torso.opinion, sample(shown, torso_grid)),
            background=source.plates.background,
            alpha=torch.maximum(enlarge(above, 4), softened(firm)) * (1 - before),
            classes=target.classes,
            eyes=found.eyes,
            eyeball=eyeball,
            eyeball_known=known * found.eyes,
            enamel=torch.lerp(
                torch.ones_like(source.photo),
                softened(enamel(target.canonical, 1 - source.plates.teeth_known)),
                target.classes[:, TEETH_CLASS, None],
            ),
            teeth=source.plates.teeth,
            teeth_known=source.plates.teeth_known,
            far=far,
            head_palette=source.plates.head_palette,
            clothes_palette=source.plates.clothes_palette,
        )

    def _features(
        self,
        source: Encoding,
        volume: RenderedVolume,
        torso: TorsoMotion,
        flow: Tensor,
        given: Candidates,
    ) -> Tensor:
        grid = pixel_grid(self.config.ray_px, flow.device)
        seen = F.avg_pool2d(given.seen, 4)
        head = sample(source.features, grid + F.avg_pool2d(flow, 4).permute(0, 2, 3, 1)) * seen
        body = sample(source.features, grid + enlarge(torso.flow, 2).permute(0, 2, 3, 1))
        alpha = F.avg_pool2d(given.alpha, 4)
        return torch.cat([volume.features, head, body, alpha, seen], 1)


def _free(looked_up: Tensor, bare: Tensor) -> Tensor:
    """Whether looked-up colours, nobody and clothes (B, 5, S, S) may be a head, bare or not."""
    nobody, clothes = looked_up[:, 3:].split(1, 1)
    return (1 - nobody) * (1 - clothes * bare)


def _loose(target: TargetGeometry) -> Tensor:
    """(B, 1, S, S) 1 where no face is: around it, and on the neck."""
    firm = F.avg_pool2d(target.firmness * target.hit, 9, 1, 4)
    neck = smoothstep(target.canonical[:, 1:2], *_JAW_TO_NECK)
    around = torch.lerp(1 - firm, 1 - smoothstep(firm, *_NECK_TO_FACE), neck)
    return around * (1 - target.classes[:, 1:].sum(1, keepdim=True))


def _above_collar(alpha: Tensor, camera: Camera, far: Tensor) -> Tensor:
    """Opacity (B, 1, n, n) of heads that fades to 0 down the neck, if they are turned far."""
    return alpha * (1 - far * smoothstep(camera.heights(alpha.shape[-1]), *_COLLAR))


def _worn(clothes: Tensor, target: TargetGeometry, found: Correspondence) -> Tensor:
    """(B, 1, S/4, S/4) whether the volume is, beside the neck, what the photo shows as clothes."""
    there = sample(clothes, _reduced(found.surface_uv, 4))
    neck = target.hit * (1 - smoothstep(target.canonical[:, 1:2], *_NECK_END))
    return there * found.surface_seen * (1 - F.avg_pool2d(neck, 4))


def _reduced(grid: Tensor, factor: int) -> Tensor:
    """(B, S/factor, S/factor, 2) of a grid (B, S, S, 2)."""
    return F.avg_pool2d(grid.permute(0, 3, 1, 2), factor).permute(0, 2, 3, 1)


def _shown(source: Encoding, points: Tensor) -> tuple[Tensor, Tensor]:
    """Where the photo has points (B, 3, n, n), as (B, n, n, 2), and whether it shows them."""
    there = source.head.camera.project(points.flatten(2).mT).unflatten(1, points.shape[2:])
    uv, depth = there[..., :2], there[..., 2][:, None]
    surface = sample(source.volume.depth.detach(), uv)
    inside = (uv.abs().amax(-1) < 0.99)[:, None]
    return uv, (torch.sigmoid((surface - depth + _SEEN_BEHIND) / 0.03) * inside).detach()


def _pose(source: Camera, target: Camera) -> Tensor:
    """(B, 24) numbers that say how both cameras see the head."""
    parts = [source.rotation.flatten(1), target.rotation.flatten(1)]
    for camera in (source, target):
        parts += [camera.scale[:, None], camera.offset]
    return torch.cat(parts, 1)


def build_network(config: NetworkConfig) -> Real3DNetwork:
    """The network with fresh weights."""
    return Real3DNetwork(config, Template())
