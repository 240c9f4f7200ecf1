"""What is computed, not learned: where each pixel of a new view was in the photo.

The posed template is rasterised in the photo's pose and in the wanted one. Per pixel that gives the
canonical position (PNCC), the layer, where the point was in the photo, and whether the photo
showed it: same class, not hidden, facing the camera.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor, nn
from torch.nn import functional as F

from real3d.camera import Camera, pixel_grid
from real3d.face.blendshapes import ARKIT_NAMES
from real3d.face.fit import lip_gap
from real3d.face.rasteriser import Rasteriser
from real3d.face.template import (
    CAVITY,
    CLASS_COUNT,
    EYE_CLASSES,
    LEFT_EYE,
    MOUTH_CLASS,
    NECK,
    PIXEL_CLASSES,
    RIGHT_EYE,
    SKIN,
    TEETH_CLASS,
    Template,
)
from real3d.networks.layers import eroded, pull_push, sample, smoothstep
from real3d.networks.lids import upper_margins
from real3d.networks.lips import lip_margins, moved_and_meeting
from real3d.networks.neck import twisted
from real3d.tensors import constant, map_tensors

_EMPTY_DEPTH = 9.0
_PRIOR_SIDE = 48
_PRIOR_SLOPE = 20.0
_SEEN_DEPTH, _SEEN_DEPTH_FRONTAL, _SEEN_DEPTH_AROUND = 0.05, 0.06, 0.2
"""How far behind the photo's surface a point may lie and still count as shown."""
_FACING = (0.12, 0.4)
"""Cosine to the photo's camera from which on skin counts as shown."""
_SHRUNK = (0.35, 0.8)
"""Size of a point's surroundings in the photo, against the wanted size, from which on it is ample:
a lid that is a line in the photo does not show what it is like when it is shut."""
_MOUTH_TOP = (0.1, 0.2)
"""Heights (y down) between which the template's mouth begins."""
_SMALLEST_AREA, _LARGEST_SIZE = 1e-8, 2.0
_BESIDE = 5
"""Pixels of S/2 of a window in which the mouth's inside may be teeth."""
_LIDS_MOVE, _MOVES = (0.02, 0.04), (0.05, 0.1)
"""How far an eye's shapes, and the others, move a point, head units, for it to belong to mouth and
eyes."""
_BESIDE_FACE, _BESIDE_MOVES, _RIM, _EDGE = 5, 9, 9, 5
"""Pixels of S/4: windows by which the face, and mouth and eyes, are widened, and over which the one
ends at the head's outline, the others within the face."""
_THIN, _THIN_TEETH = 5, (0.3, 0.8)
"""Pixels of a window, and the share of it from which on teeth are drawn as such."""


@dataclass(frozen=True)
class Head:
    """A head in one pose, as a photo shows it or a frame is to show it."""

    identity: Tensor
    """(B, 478, 3)."""
    coefficients: Tensor
    """(B, 52)."""
    camera: Camera

    def __getitem__(self, which: slice | Tensor) -> "Head":
        return Head(self.identity[which], self.coefficients[which], self.camera[which])


@dataclass(frozen=True)
class SourceGeometry:
    """The photo's head."""

    vertices: Tensor
    """(B, N, 3) posed, head frame."""
    projected: Tensor
    """(B, N, 3)."""
    facing: Tensor
    """(B, N, 1) how much a vertex faces the photo's camera."""
    camera: Camera
    depth: Tensor
    """(B, 1, S/2, S/2) of the mesh, _EMPTY_DEPTH elsewhere."""
    classes: Tensor
    """(B, 1, S/2, S/2) pixel class + 1, 0 where there is no mesh, or where the mouth's inside is so
    near to teeth that the photo may show these."""
    ray_depth: Tensor
    """(B, 1, S/8, S/8) of the mesh, continued outwards."""
    ray_to_canonical: Tensor
    """(B, 3, S/8, S/8) from posed to template positions, continued outwards."""
    ray_firmness: Tensor
    """(B, 1, S/8, S/8)."""
    frontal_uv: Tensor
    """(B, S/4, S/4, 2) where the photo shows the pixels of the frontal plane."""
    frontal_seen: Tensor
    """(B, 1, S/4, S/4)."""
    frontal_move: Tensor
    """(B, 3, S/4, S/4) from template to posed positions, seen from the front."""

    def __getitem__(self, which: slice | Tensor) -> "SourceGeometry":
        return map_tensors(lambda tensor: tensor[which], self)

    def expand(self, count: int) -> "SourceGeometry":
        """One head repeated."""
        return map_tensors(lambda tensor: tensor.expand(count, *tensor.shape[1:]), self)


@dataclass(frozen=True)
class TargetGeometry:
    """The wanted view, pixel by pixel."""

    source_uv: Tensor
    """(B, S, S, 2) where the mesh point was in the photo."""
    seen: Tensor
    """(B, 1, S, S) whether the photo showed it."""
    mirror_uv: Tensor
    """(B, S, S, 2) where its mirror image was: the face's other half, or the eye's own."""
    mirror_seen: Tensor
    """(B, 1, S, S)."""
    ample: Tensor
    """(B, 1, S, S) 0 where the photo shows a point of the skin far smaller than it is wanted, and
    on lips that have moved, but are parted in the photo."""
    meeting: Tensor
    """(B,) how far lips meet that are parted in the photo."""
    facing: Tensor
    """(B, 3, S, S) cosines between the surface and the camera: here, in the photo, and of its
    mirror image in the photo."""
    hit: Tensor
    """(B, 1, S, S)."""
    firmness: Tensor
    """(B, 1, S, S) how far the mesh alone decides."""
    classes: Tensor
    """(B, 5, S, S) one-hot pixel class, except that thin teeth are partly mouth."""
    canonical: Tensor
    """(B, 3, S, S) PNCC: position on the template."""
    normals: Tensor
    """(B, 3, S, S) in the camera frame."""
    ray_depth: Tensor
    """(B, 1, S/4, S/4) of the mesh, continued outwards."""
    ray_to_canonical: Tensor
    """(B, 3, S/4, S/4)."""
    ray_to_source: Tensor
    """(B, 3, S/4, S/4) from template to the photo's posed positions."""
    ray_firmness: Tensor
    """(B, 1, S/4, S/4)."""
    frontal_move: Tensor
    """(B, 3, S/4, S/4) from template to this pose, seen from the front."""
    landmarks: Tensor
    """(B, 478, 3) projected."""
    whole: Tensor
    """(B,) bool, whether there was room for all of the mesh."""


class Geometry(nn.Module):
    """The template with what follows from it once."""

    def __init__(self, template: Template, image_px: int):
        super().__init__()
        self.template, self.image_px = template, image_px
        classes = torch.tensor(PIXEL_CLASSES)[template.layer]
        self.register_buffer("triangle_class", classes, persistent=False)
        self.register_buffer("twin", _twins(template), persistent=False)
        margins = upper_margins(template.landmarks)
        self.register_buffer("upper_margins", margins, persistent=False)
        lips = lip_margins(template.landmarks)
        self.register_buffer("lip_margins", lips, persistent=False)
        self.register_buffer("prior", _density_prior(template), persistent=False)
        self._frontal(image_px // 4)
        face, lively = self._facial()
        self.register_buffer("face", face, persistent=False)
        self.register_buffer("lively", lively, persistent=False)

    def _frontal(self, size: int) -> None:
        """Raster of the template seen from the front, without perspective."""
        vertices = self.template.vertices
        raster = Rasteriser(self.template).draw(vertices[None], size)
        depth = raster.interpolate(vertices[None, :, 2:])
        depth = pull_push(depth, raster.hit)
        away = _distance(raster.hit) * (2 / size)
        depth = depth * torch.exp(-((away / 0.35) ** 2))
        grid = pixel_grid(size)
        points = torch.cat([grid, depth[0, 0, ..., None]], -1).view(1, -1, 3)
        self.register_buffer("frontal_points", points, persistent=False)
        self.register_buffer("frontal_depth", depth, persistent=False)
        self.register_buffer("frontal_hit", raster.hit, persistent=False)
        corners = torch.zeros(size * size, 3, dtype=torch.long)
        weights = torch.zeros(size * size, 3)
        corners[raster.pixels], weights[raster.pixels] = raster.corners, raster.weights
        self.register_buffer("_frontal_corners", corners, persistent=False)
        self.register_buffer("_frontal_weights", weights, persistent=False)

    def _facial(self) -> tuple[Tensor, Tensor]:
        """(1, 1, S/4, S/4) 1 where, seen from the front, there is face, and its mouth and eyes."""
        template = self.template
        reach = template.shapes.norm(dim=2)
        of_eyes = torch.tensor([name.startswith("eye") for name in ARKIT_NAMES])
        values = [template.firmness, reach[of_eyes].amax(0), reach[~of_eyes].amax(0)]
        firm, lids, others = self._seen_from_front(torch.stack(values, 1)[None]).split(1, 1)
        moving = smoothstep(others, *_MOVES)
        face = F.max_pool2d(torch.maximum(firm, moving), _BESIDE_FACE, 1, _BESIDE_FACE // 2)
        face = face * F.avg_pool2d(self.frontal_hit, _RIM, 1, _RIM // 2)
        lively = torch.maximum(smoothstep(lids, *_LIDS_MOVE), moving)
        lively = F.max_pool2d(lively, _BESIDE_MOVES, 1, _BESIDE_MOVES // 2)
        return face, face * F.avg_pool2d(lively, _EDGE, 1, _EDGE // 2)

    def _seen_from_front(self, moved: Tensor) -> Tensor:
        """Vertex moves (B, N, 3) as a frontal map (B, 3, S/4, S/4), continued outwards."""
        size = self.frontal_hit.shape[-1]
        corners = moved[:, self._frontal_corners.view(-1)].unflatten(1, (-1, 3))
        flat = (corners * self._frontal_weights[..., None]).sum(2)
        image = flat.mT.unflatten(2, (size, size))
        return pull_push(image, self.frontal_hit.expand(len(moved), -1, -1, -1))

    @torch.no_grad()
    def source(self, head: Head) -> SourceGeometry:
        """What follows from the photo's head alone."""
        template, size = self.template, self.image_px // 2
        vertices = template.posed(head.identity, head.coefficients)
        projected = head.camera.project(vertices)
        facing = -(template.normals(vertices) @ head.camera.rotation.mT)[..., 2:]
        raster = Rasteriser(template).draw(projected, size)
        to_canonical = template.vertices - vertices
        values = torch.cat([projected[..., 2:], to_canonical, _column(template.firmness, head)], -1)
        at_pixels = raster.at_pixels(values)
        hit = raster.hit
        depth = raster.image(at_pixels[:, :1], _EMPTY_DEPTH)
        classes = torch.where(
            raster.triangle >= 0, self.triangle_class[raster.triangle.clamp_min(0)] + 1, 0
        )[:, None].float()
        classes = torch.where(_beside_teeth(classes), 0.0, classes)
        maps = _continued(raster.image(at_pixels[:, :4]), hit, 4)
        firm = eroded(F.avg_pool2d(raster.image(at_pixels[:, 4:]), 4))
        move = self._seen_from_front(-to_canonical)
        points = self.frontal_points + move.flatten(2).mT
        seen = head.camera.project(points).unflatten(1, move.shape[2:])
        surface = sample(depth, seen[..., :2], "nearest", "zeros")
        reach = torch.where(self.frontal_hit > 0, _SEEN_DEPTH_FRONTAL, _SEEN_DEPTH_AROUND)
        shown = (seen[..., 2][:, None] < surface + reach).float()
        return SourceGeometry(
            vertices, projected, facing, head.camera, depth, classes, maps[:, :1], maps[:, 1:],
            firm, seen[..., :2], shown, move,
        )  # fmt: skip

    @torch.no_grad()
    def target(self, source: SourceGeometry, head: Head, room: int | None = None) -> TargetGeometry:
        """Correspondence of a wanted view with the photo; room: as in Rasteriser.draw."""
        template, size = self.template, self.image_px
        vertices = template.posed(head.identity, head.coefficients)
        heights = template.vertices[:, 1]
        vertices = twisted(vertices, heights, source.camera, head.camera)
        projected = head.camera.project(vertices)
        raster = Rasteriser(template).draw(projected, size, room)
        normals = template.normals(vertices) @ head.camera.rotation.mT
        photo = torch.cat([source.projected, source.facing], -1)
        size_there = self._shrinking(projected, photo)
        size_there = size_there * (head.camera.scale / source.camera.scale)[:, None, None]
        parts = {
            "canonical": template.vertices.expand_as(vertices),
            "source": photo,
            "mirror": photo[:, self.twin],
            "size": size_there,
            "normals": normals,
            "firmness": _column(template.firmness, head),
            "rays": torch.cat(
                [
                    projected[..., 2:],
                    template.vertices - vertices,
                    source.vertices - template.vertices,
                ],
                -1,
            ),
        }
        at_pixels = raster.at_pixels(torch.cat(list(parts.values()), -1))
        widths = [part.shape[-1] for part in parts.values()]
        canonical, there, mirrored, shrunk, normal, firm, rays = (
            raster.image(part) for part in at_pixels.split(widths, 1)
        )
        hit = raster.hit
        classes = torch.where(
            raster.triangle >= 0, self.triangle_class[raster.triangle.clamp_min(0)], -1
        )[:, None]
        seen = self._seen(source, there, classes) * hit
        mirrorable = torch.isin(classes, constant((0, *EYE_CLASSES), classes))
        mirror_seen = self._seen(source, mirrored, classes) * hit * mirrorable
        one_hot = torch.cat([classes == k for k in range(CLASS_COUNT)], 1).float()
        one_hot, thin = _without_thin_teeth(one_hot)
        ray = _continued(rays, hit, 4)
        gaps = (lip_gap(template.posed_landmarks(v)) for v in (source.vertices, vertices))
        moved, meeting = moved_and_meeting(*gaps)
        moved = moved.view(-1, 1, 1, 1) * smoothstep(canonical[:, 1:2], *_MOUTH_TOP)
        ample = smoothstep(shrunk, *_SHRUNK) * (1 - moved)
        return TargetGeometry(
            source_uv=there[:, :2].permute(0, 2, 3, 1),
            seen=seen * (1 - thin),
            mirror_uv=mirrored[:, :2].permute(0, 2, 3, 1),
            mirror_seen=mirror_seen,
            ample=torch.where(classes == 0, ample, 1.0),
            meeting=meeting,
            facing=torch.cat([-normal[:, 2:], there[:, 3:], mirrored[:, 3:]], 1),
            hit=hit,
            firmness=firm,
            classes=one_hot,
            canonical=canonical,
            normals=normal,
            ray_depth=ray[:, :1],
            ray_to_canonical=ray[:, 1:4],
            ray_to_source=ray[:, 4:],
            ray_firmness=eroded(F.avg_pool2d(firm, 4)),
            frontal_move=self._seen_from_front(vertices - template.vertices),
            landmarks=head.camera.project(template.posed_landmarks(vertices)),
            whole=raster.whole,
        )

    @staticmethod
    def _seen(source: SourceGeometry, there: Tensor, classes: Tensor) -> Tensor:
        """(B, 1, S, S) whether the photo shows a point of that class there (B, 4, S, S)."""
        uv, depth, facing = there[:, :2].permute(0, 2, 3, 1), there[:, 2:3], there[:, 3:]
        surface = sample(source.depth, uv, "nearest", "zeros")
        found = sample(source.classes, uv, "nearest", "zeros")
        inside = (uv.abs().amax(-1) < 0.995)[:, None]
        shown = ((found - classes - 1).abs() < 0.5) & (depth < surface + _SEEN_DEPTH) & inside
        soft = shown * smoothstep(facing, *_FACING)
        return F.avg_pool2d(soft, 3, 1, 1) * shown

    def _shrinking(self, here: Tensor, there: Tensor) -> Tensor:
        """(B, N, 1) how large vertices' surroundings here (B, N, ≥2) are there, where least."""
        triangles = self.template.triangles
        before, after = (_edges(x[:, triangles, :2]) for x in (here, there))
        area = _determinant(before)
        area = torch.where(area.abs() < _SMALLEST_AREA, _SMALLEST_AREA, area)
        linear = after @ _adjugate(before) / area[..., None, None]
        power, area = linear.square().sum((2, 3)), _determinant(linear).abs()
        largest = (power + (power.square() - 4 * area.square()).clamp_min(0).sqrt()) / 2
        least = (area / largest.clamp_min(1e-6).sqrt()).clamp(max=_LARGEST_SIZE)
        corners = triangles.flatten()
        summed = least.new_zeros(*here.shape[:2], 2)
        both = torch.stack([least, torch.ones_like(least)], -1).repeat_interleave(3, 1)
        summed.index_add_(1, corners, both)
        return summed[..., :1] / summed[..., 1:].clamp_min(1)


def _beside_teeth(classes: Tensor) -> Tensor:
    """(B, 1, n, n) bool, pixels of the mouth's inside in a photo that are next to its teeth.

    classes: pixel class + 1. Teeth are fitted to a pixel or two, and would be looked up as dots.
    """
    teeth = F.max_pool2d((classes == TEETH_CLASS + 1).float(), _BESIDE, 1, _BESIDE // 2)
    return (classes == MOUTH_CLASS + 1) & (teeth > 0)


def _without_thin_teeth(classes: Tensor) -> tuple[Tensor, Tensor]:
    """Classes (B, 5, S, S), teeth of a pixel or two turned into the dark of the mouth.

    Between nearly shut lips a row of teeth would be a dotted line. Also (B, 1, S, S) how much of a
    pixel was turned.
    """
    teeth = classes[:, TEETH_CLASS, None]
    filled = F.avg_pool2d(teeth, _THIN, 1, _THIN // 2)
    filled = F.max_pool2d(filled, _THIN, 1, _THIN // 2)
    thin = teeth * (1 - smoothstep(filled, *_THIN_TEETH))
    changed = classes.clone()
    changed[:, TEETH_CLASS, None] -= thin
    changed[:, MOUTH_CLASS, None] += thin
    return changed, thin


def _edges(corners: Tensor) -> Tensor:
    """(B, M, 2, 2) two edges, as columns, of triangles (B, M, 3, 2)."""
    return (corners[:, :, 1:] - corners[:, :, :1]).mT


def _determinant(matrices: Tensor) -> Tensor:
    a, b, c, d = matrices.flatten(2).unbind(2)
    return a * d - b * c


def _adjugate(matrices: Tensor) -> Tensor:
    a, b, c, d = matrices.flatten(2).unbind(2)
    return torch.stack([d, -b, -c, a], 2).unflatten(2, (2, 2))


def _column(values: Tensor, head: Head) -> Tensor:
    return values[None, :, None].expand(len(head.coefficients), -1, 1)


def _continued(values: Tensor, hit: Tensor, factor: int) -> Tensor:
    """Values (B, C, S, S) reduced by factor over the mesh alone, then continued outwards."""
    share = F.avg_pool2d(hit, factor)
    return pull_push(F.avg_pool2d(values * hit, factor) / (share + 1e-6), share)


def _distance(hit: Tensor) -> Tensor:
    """(1, 1, S, S) distance to the nearest pixel of the mesh, pixels."""
    size = hit.shape[-1]
    inside = hit[0, 0].nonzero().numpy()
    every = np.stack(np.meshgrid(np.arange(size), np.arange(size), indexing="ij"), -1)
    found, _ = cKDTree(inside).query(every.reshape(-1, 2))
    return torch.from_numpy(found).float().view(1, 1, size, size)


def _twins(template: Template) -> Tensor:
    """(N,) the vertex on the other side of the face; on an eyeball, across its own pupil.

    So the part of an iris that a lid covers is found beyond the pupil, where it seldom does.
    """
    vertices, layers = template.vertices, template.vertex_layer
    flip = vertices.new_tensor([-1, 1, 1])
    twins = torch.arange(len(vertices))
    for layer in layers.unique().tolist():
        own = (layers == layer).nonzero()[:, 0]
        middle, turned = vertices.new_zeros(3), flip
        if layer in (LEFT_EYE, RIGHT_EYE):
            middle = template.eye_centres[layer - LEFT_EYE] * vertices.new_tensor([1, 1, 0])
            turned = vertices.new_tensor([-1, -1, 1])
        mirrored = (vertices[own] - middle) * turned + middle
        twins[own] = own[torch.cdist(mirrored, vertices[own]).argmin(1)]
    return twins


def _density_prior(template: Template) -> Tensor:
    """(1, 1, D, D, D) over z, y, x: positive inside the template's skin, negative outside."""
    layers = template.vertex_layer.numpy()
    skin = np.isin(layers, (SKIN, NECK, LEFT_EYE, RIGHT_EYE)) & (layers != CAVITY)
    points = template.vertices.numpy()[skin]
    normals = template.normals(template.vertices[None])[0].numpy()[skin]
    steps = (np.arange(_PRIOR_SIDE) + 0.5) * (2 / _PRIOR_SIDE) - 1
    z, y, x = np.meshgrid(steps, steps, steps, indexing="ij")
    cells = np.stack([x, y, z], -1).reshape(-1, 3)
    distance, nearest = cKDTree(points).query(cells, k=4)
    inward = -((cells[:, None] - points[nearest]) * normals[nearest]).sum(-1).mean(1)
    prior = np.clip(np.sign(inward) * distance[:, 0] * _PRIOR_SLOPE, -4, 3)
    return torch.from_numpy(prior).float().view(1, 1, *[_PRIOR_SIDE] * 3)
