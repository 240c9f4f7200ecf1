"""The baked head: shapes that do what they say, a texture without holes."""

import numpy as np
import pytest
import torch

from real3d.export.draw import draw
from real3d.face.blendshapes import ARKIT_INDEX

# Where a shape moves things (x right, y down, z away; eyes at 0, mouth at 0.4), and which way.
SHAPES = {
    "jawOpen": ((0, 0.5), (0, 1, 0)),
    "eyeBlinkLeft": ((0.2, -0.09), (0, 1, 0)),
    "eyeBlinkRight": ((-0.2, -0.09), (0, 1, 0)),
    "mouthSmileLeft": ((0.16, 0.36), (1, -1, 0)),
    "mouthSmileRight": ((-0.16, 0.36), (-1, -1, 0)),
    "mouthPucker": ((0, 0.38), (0, 0, -1)),
    "mouthLeft": ((0, 0.38), (1, 0, 0)),
    "browInnerUp": ((0, -0.25), (0, -1, 0)),
    "browDownLeft": ((0.2, -0.2), (0, 1, 0)),
    "eyeLookUpLeft": ((0.2, -0.09), (0, -1, 0)),
    "jawLeft": ((0, 0.5), (1, 0, 0)),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_moves_its_part_its_way(baked, name):
    (x, y), way = SHAPES[name]
    head = baked.head
    move = head.moves[ARKIT_INDEX[name]]
    if name.startswith("eyeLook"):  # an eyeball turns: its front counts
        move = torch.where(head.positions[:, 2:] < -0.35, move, 0)
    size = move.norm(dim=1)
    strong = size > 0.5 * size.max()
    place = head.positions[strong][:, :2].mean(0)
    assert float((place - torch.tensor([x, y])).norm()) < 0.2, place
    mean = torch.nn.functional.normalize(move[strong].mean(0), dim=0)
    wanted = torch.nn.functional.normalize(torch.tensor(way, dtype=torch.float32), dim=0)
    assert float(mean @ wanted) > 0.6, mean


def test_the_back_of_the_head_is_still(baked):
    behind = baked.head.positions[:, 2] > 0.3
    assert baked.head.moves[:, behind].abs().max() == 0


def test_at_rest_nothing_moves(baked):
    assert torch.equal(baked.head.posed(torch.zeros(52)), baked.head.positions)
    assert baked.head.moves.shape == (52, *baked.head.positions.shape)


def test_textures_are_whole(baked):
    assert baked.head.texture.shape == (256, 256, 3)
    assert baked.head.texture.dtype == torch.uint8
    assert (baked.head.texture.float().mean(-1) > 2).float().mean() > 0.98


def test_normals_point_outwards(baked):
    head = baked.head
    front = head.positions[:, 2] < -0.5
    assert (head.normals[front][:, 2] < 0).float().mean() > 0.8


def test_the_picture_moves_with_the_jaw(baked):
    still = draw(baked, baked.camera, baked.coefficients, 96)
    opened = baked.coefficients.clone()
    opened[ARKIT_INDEX["jawOpen"]] = 1
    moved = draw(baked, baked.camera, opened, 96)
    assert still.shape == (96, 96, 3)
    assert still.std() > 10
    difference = np.abs(still.astype(int) - moved).max(-1)
    assert difference.max() > 40
    assert difference[:40].max() < 30  # the forehead stays
