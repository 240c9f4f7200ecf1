"""An avatar painted onto meshes: the head without the network.

Every texel of the head and of the hair's shell is looked up in each view that shows it, and the
views are mixed by how squarely they see it and how close to the photo they are. What no view shows
is completed.
"""

from collections.abc import Callable
from dataclasses import fields

import torch
from torch import Tensor
from torch.nn import functional as F

from real3d.avatar import Avatar
from real3d.export.atlas import Atlas, Texels, build_atlas, texels_of
from real3d.export.completion import UNSEEN, completed
from real3d.export.hair import Shell, hair_shell
from real3d.export.mesh import BakedHead, TexturedMesh, vertex_normals
from real3d.export.views import (
    OPENED_SHARE,
    VIEW_COUNT,
    Surface,
    View,
    looked_up,
    opaque,
    shell_depth,
    template_depth,
    vertices_in,
    views_of,
)
from real3d.face.blendshapes import MOUTH_ROWS
from real3d.face.template import CAVITY, LEFT_EYE, NECK, PIXEL_CLASSES, SKIN, TONGUE, Template
from real3d.fitting import cpu_fitter
from real3d.networks.image_to_plane import Planes
from real3d.networks.layers import pull_push, smoothstep
from real3d.weight_files import Model

TEXTURE_PX = 1024
_VIEWS_SHARE = 0.6
_MOUTH_PUSH, _EYE_PUSH = 0.03, 0.014
"""Teeth and eyes lie this much deeper than in the template: our rasteriser draws them with an
offset, other programs have none."""
_MOUTH, _THROAT, _SHADE = (-0.5, -0.41), (-0.42, -0.2), 0.75
"""Depths at which cavity and tongue begin to have colours of their own, whatever light the networks
put there, and between which they get darker by this share."""
_KNOWN, _SEEN = 0.02, 1e-4
"""Weights from which on a texel counts as seen: in the head as a share of the least view's."""
_BEHIND_FACE = (-0.12, 0.12)
"""Between these depths (the ears) expressions fade out."""
_BROWS = (-0.4, -0.25)
"""Heights (y down) between which brows end, and with them what a mouth moves."""
_NECK_CUT = (0.90, 0.10)
"""The neck ends at this height, lower towards the back: y = a + b z."""
_SKULL = (0.0, 0.02, 0.12)
_SCALP_BEHIND, _SCALP_ABOVE, _SCALP_SHARE = (0.05, 0.3), (0.15, 0.35), 0.3
_HAIR_SHARE, _STRAND = 0.15, 0.12
"""What the photo does not show of the hair is the networks' guess, and too dark: there the hair's
mean colour counts so much beside the views (the photo's own counts up to 6)."""
_HAIR_OUTLINE = 0.35
"""A texel of hair is there when it is at least so opaque on average."""


def bake(
    avatar: Avatar,
    model: Model,
    texture_px: int = TEXTURE_PX,
    told: Callable[[float], None] | None = None,
) -> BakedHead:
    """The textured meshes of an avatar, on the CPU; texture_px is a power of two.

    Renders nine frames and takes about twice as long; told hears the share that is done. Raises
    Real3DError where the avatar was made with other weights.
    """
    views = []
    for view in views_of(avatar, model):
        views.append(view)
        if told:
            told(_VIEWS_SHARE * len(views) / VIEW_COUNT)
    template = cpu_fitter().template
    planes = (getattr(avatar.planes, f.name).to(model.device).float() for f in fields(Planes))
    shell = hair_shell(model.network, Planes(*planes), template)
    hair, mean = None, None
    if shell is not None:
        hair, mean = _hair(template, shell, avatar, views, texture_px // 2)
    head = _head(template, avatar, views, texture_px, mean)
    return BakedHead(head, hair, avatar.coefficients[0], avatar.camera)


def _head(
    template: Template, avatar: Avatar, views: list[View], size: int, hair: Tensor | None
) -> TexturedMesh:
    shapes = torch.cat([torch.zeros(1, 52), torch.eye(52)])
    posed = _deeper(template, template.posed(avatar.identity.expand(53, -1, -1), shapes))
    rest, moves = posed[0], (posed[1:] - posed[:1]) * _mobility(template)[..., None]
    atlas = build_atlas(template)
    normals = template.normals(rest[None])[0]
    rest, kept = _cut_neck(rest, template.triangles)
    used, triangles = torch.unique(atlas.triangles[kept], return_inverse=True)
    vertex = atlas.vertex[used]
    texture = _painted(template, atlas, avatar, views, size, hair)
    return TexturedMesh(
        rest[vertex], normals[vertex], atlas.uv[used], triangles, texture, moves[:, vertex]
    )


def _mobility(template: Template) -> Tensor:
    """(52, N) 1 in the face, 0 where calibrated shapes drift: where skin and neck are behind the
    face, and where those of the mouth are above the brows."""
    height, depth = template.vertices[:, 1:].unbind(1)
    in_face = torch.where(template.vertex_layer <= NECK, 1 - smoothstep(depth, *_BEHIND_FACE), 1.0)
    mobility = in_face.repeat(len(template.shapes), 1)
    mobility[MOUTH_ROWS] *= smoothstep(height, *_BROWS)
    return mobility


def _cut_neck(rest: Tensor, triangles: Tensor) -> tuple[Tensor, Tensor]:
    """Vertices with those below the cut moved onto it, and which triangles (M,) are left."""
    lowest = _NECK_CUT[0] + _NECK_CUT[1] * rest[:, 2]
    kept = (rest[:, 1] < lowest)[triangles].any(1)
    return torch.stack([rest[:, 0], torch.minimum(rest[:, 1], lowest), rest[:, 2]], 1), kept


def _painted(
    template: Template,
    atlas: Atlas,
    avatar: Avatar,
    views: list[View],
    size: int,
    hair: Tensor | None,
) -> Tensor:
    """(S, S, 3) uint8 texture of the head; the scalp tends to the hair's mean colour (3,)."""
    texels = texels_of(atlas.uv, atlas.triangles, _outwardness(template)[atlas.vertex], size)
    classes = torch.tensor(PIXEL_CLASSES)[atlas.layer[texels.triangle]][:, None].float()
    colour, weight = torch.zeros(len(texels.index), 3), torch.zeros(len(texels.index), 1)
    for view in views:
        vertices = vertices_in(view, template, avatar)
        normals = template.normals(vertices)[0][atlas.vertex]
        surface = Surface(vertices[0][atlas.vertex], normals, texels, classes)
        found, share = looked_up(view, surface, template_depth(template, vertices, view.camera))
        share = share * opaque(found)
        colour, weight = colour + found[:, :3] * share, weight + share
    if hair is not None:
        scalp = _SCALP_SHARE * texels.values(_scalp(template)[atlas.vertex, None])
        colour, weight = colour + hair * _strands(texels) * scalp, weight + scalp
    known = (weight > _KNOWN * OPENED_SHARE).float()
    colour = colour / weight.clamp_min(1e-9) * known
    depth = texels.values(template.vertices[atlas.vertex, 2:])
    for layer in (CAVITY, TONGUE):
        there = (atlas.layer[texels.triangle] == layer).float()[:, None]
        inside = there * smoothstep(depth, *_MOUTH)
        ink = colour.new_tensor(UNSEEN[layer]) * (1 - _SHADE * smoothstep(depth, *_THROAT))
        colour = torch.lerp(colour, ink, inside)
        known = torch.maximum(known, (inside > 0.9).float())
    return _bytes(completed(texels.image(colour), texels.image(known), atlas, texels))


def _scalp(template: Template) -> Tensor:
    """(N,) 1 on the back of the skull above the nape, 0 in the face and on the neck."""
    behind = smoothstep(template.vertices[:, 2], *_SCALP_BEHIND)
    above = 1 - smoothstep(template.vertices[:, 1], *_SCALP_ABOVE)
    return behind * above * (template.vertex_layer == SKIN)


def _deeper(template: Template, posed: Tensor) -> Tensor:
    """Vertices (B, N, 3) with mouth and eyes pushed inwards."""
    push = torch.zeros(len(template.vertices))
    push[(template.vertex_layer > NECK) & (template.vertex_layer < LEFT_EYE)] = _MOUTH_PUSH
    push[template.vertex_layer >= LEFT_EYE] = _EYE_PUSH
    return torch.cat([posed[..., :2], posed[..., 2:] + push[:, None]], -1)


def _outwardness(template: Template) -> Tensor:
    """(N,) which of two triangles that overlap in the texture lies farther out."""
    skin = template.vertex_layer <= NECK
    radius = (template.vertices - template.vertices.new_tensor(_SKULL)).norm(dim=1)
    return torch.where(skin, radius, -template.vertices[:, 2])


def _hair(
    template: Template, shell: Shell, avatar: Avatar, views: list[View], size: int
) -> tuple[TexturedMesh, Tensor]:
    """The shell, and the mean colour (3,) of what the photo shows of it."""
    texels = texels_of(shell.uv, shell.triangles, torch.zeros(len(shell.uv)), size)

    def following(vertices: Tensor) -> Tensor:
        return shell.points + (vertices[0] - template.vertices)[shell.nearest].mean(1)

    ink, alpha = torch.zeros(len(texels.index), 4), torch.zeros(len(texels.index), 2)
    mean = torch.zeros(3)
    for k, view in enumerate(views[:-1]):
        vertices = vertices_in(view, template, avatar)
        points = following(vertices)
        normals = vertex_normals(points, shell.triangles)
        nearest = torch.minimum(
            template_depth(template, vertices, view.camera)[:, :1],
            shell_depth(points, shell.triangles, view.camera),
        )
        found, share = looked_up(view, Surface(points, normals, texels), nearest)
        inked = share * opaque(found)
        ink = ink + torch.cat([found[:, :3] * inked, inked], 1)
        if k == 0:
            mean = (found[:, :3] * inked).sum(0) / inked.sum().clamp_min(1e-6)
        alpha = alpha + torch.cat([found[:, 3:] * share, share], 1)
    unseen = torch.cat([mean * _strands(texels), torch.ones(len(ink), 1)], 1)
    ink = ink + _HAIR_SHARE * unseen
    alpha = alpha + _HAIR_SHARE
    colour, outline = _spread(texels, ink), _spread(texels, alpha)
    outline = ((outline - _HAIR_OUTLINE) * 4 + 0.5).clamp(0, 1)
    rest = following(template.posed(avatar.identity, torch.zeros(1, 52)))
    texture = _bytes(torch.cat([colour, outline], 1))
    normals = vertex_normals(rest, shell.triangles)
    return TexturedMesh(rest, normals, shell.uv, shell.triangles, texture), mean


def _strands(texels: Texels) -> Tensor:
    """(P, 1) lighter and darker strands from the crown downwards, around 1; always the same."""
    size, generator = texels.size, torch.Generator().manual_seed(0)
    noise = torch.randn(1, 1, max(2, size // 48), size // 2, generator=generator)
    streaks = F.interpolate(noise, (size, size), mode="bicubic", align_corners=False)
    return 1 + _STRAND * streaks.view(-1, 1)[texels.index]


def _spread(texels: Texels, weighted: Tensor) -> Tensor:
    """(1, C, S, S) of texel sums and their weight (P, C + 1), continued to where there is none."""
    known = (weighted[:, -1:] > _SEEN).float()
    values = weighted[:, :-1] / weighted[:, -1:].clamp_min(_SEEN) * known
    return pull_push(texels.image(values), texels.image(known))


def _bytes(image: Tensor) -> Tensor:
    return (image[0].permute(1, 2, 0).clamp(0, 1) * 255 + 0.5).to(torch.uint8)
