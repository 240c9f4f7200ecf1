"""Masks that follow the photo's own edges, and what a head may be looked up as."""

import torch

from real3d.networks.model import _free
from real3d.networks.parts import REDUCTION
from real3d.networks.plates import _along_edges

S = 64


def test_a_coarse_mask_ends_where_the_photo_does():
    edge = 30  # between two of the mask's pixels
    photo = torch.full((1, 3, S, S), -0.8)
    photo[..., edge:] = 0.8
    mask = torch.zeros(1, 1, S // REDUCTION, S // REDUCTION)
    mask[..., round(edge / REDUCTION) :] = 1
    found = _along_edges(mask, photo)[0, 0, S // 2]
    assert found.shape == (S,)
    assert found[:edge].max() < 0.45 < 0.55 < found[edge:].min()


def test_a_bare_head_is_neither_nobody_nor_clothes():
    looked_up = torch.zeros(1, 5, 1, 3)
    looked_up[0, 3:, 0] = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert _free(looked_up, torch.ones(1, 1, 1, 3)).flatten().tolist() == [1, 0, 0]
    assert _free(looked_up, torch.zeros(1, 1, 1, 3)).flatten().tolist() == [1, 0, 1]
