"""Scores against closed forms."""

import numpy as np
import pytest

from pretrain_synthetic.compare import score


def test_psnr_counts_the_head_alone():
    truth = np.zeros((8, 8, 3), np.uint8)
    picture = truth.copy()
    picture[:4], picture[4:] = 51, 255  # a fifth of the range inside the head
    head = np.zeros((8, 8), bool)
    head[:4] = True
    assert score(picture, truth, head).psnr_db == pytest.approx(-20 * np.log10(0.2))


def test_iou_of_half_overlapping_mattes():
    found, true = np.zeros((4, 4)), np.zeros((4, 4))
    found[:2], true[1:3] = 1, 1
    image = np.zeros((4, 4, 3), np.uint8)
    assert score(image, image, found > 0, (found, true)).alpha_iou == pytest.approx(1 / 3)


def test_depth_is_compared_after_the_best_shift_where_it_is_known():
    image, head = np.zeros((4, 4, 3), np.uint8), np.ones((4, 4), bool)
    true = np.full((4, 4), 5.0)
    found = true + 2.0
    found[0, 0] = np.nan
    assert score(image, image, head, None, (found, true, 1.4)).depth_percent == 0
    found[1] += 0.14
    assert score(image, image, head, None, (found, true, 1.4)).depth_percent == pytest.approx(
        10 * 4 / 15
    )
