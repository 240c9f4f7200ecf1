"""Charts: every triangle has a place of its own, and texels know their point."""

import torch

from real3d.export.atlas import build_atlas, chart_middle, texels_of
from real3d.face.template import LAYERS, SKIN


def test_charts_cover_all_layers_and_do_not_overlap(template):
    atlas = build_atlas(template)
    assert atlas.uv.min() >= 0
    assert atlas.uv.max() <= 1
    assert torch.equal(atlas.vertex[atlas.triangles], template.triangles)
    corners = atlas.uv[atlas.triangles]
    boxes = []
    for layer in range(len(LAYERS)):
        own = corners[atlas.layer == layer].reshape(-1, 2)
        boxes.append((own.amin(0), own.amax(0)))
    for k, (low, high) in enumerate(boxes):
        for other_low, other_high in boxes[k + 1 :]:
            assert (high <= other_low).any() or (other_high <= low).any()


def test_texels_know_their_point(template):
    atlas = build_atlas(template)
    texels = texels_of(atlas.uv, atlas.triangles, torch.zeros(len(atlas.uv)), 128)
    uv = texels.values(atlas.uv)
    centres = torch.stack([texels.index % 128, texels.index // 128], 1) / 128 + 0.5 / 128
    inside = (texels.weights > -0.01).all(1)
    assert inside.float().mean() > 0.99
    assert (uv - centres)[inside].abs().max() < 1e-3
    image = texels.image(uv)
    assert image.shape == (1, 2, 128, 128)


def test_the_nose_is_in_the_middle_of_its_chart(template):
    atlas = build_atlas(template)
    skin = atlas.triangles[atlas.layer == SKIN].unique()
    tip = skin[template.vertices[atlas.vertex[skin]][:, 2].argmin()]
    assert abs(float(atlas.uv[tip, 0]) - chart_middle(SKIN)) < 0.005
