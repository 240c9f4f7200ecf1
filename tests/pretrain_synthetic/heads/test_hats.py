"""Hats: on some people, outside the head, over the hair."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from pretrain_synthetic.heads import PARTS, hats
from pretrain_synthetic.heads.crown import Crown, crown_of, under
from pretrain_synthetic.heads.grow import Cards
from pretrain_synthetic.heads.hat_meshes import hat_meshes
from pretrain_synthetic.heads.hats import BRIMMED, CAP, SHARE, WOOLLY, Hat, sample_hat
from pretrain_synthetic.heads.procedural import TemplateAssets
from pretrain_synthetic.landmarks import LandmarkPlaces

KINDS = {WOOLLY: hats._woolly, CAP: hats._cap, BRIMMED: hats._brimmed}


@pytest.fixture(scope="module")
def neutral() -> np.ndarray:
    body = TemplateAssets().body
    eyes = np.concatenate([body["eye_left"], body["eye_right"]])
    return body["mean"] - body["mean"][eyes].mean(0)


@pytest.fixture(scope="module")
def fitted(neutral) -> Callable[[Hat], Crown]:
    assets = TemplateAssets()
    landmarks = LandmarkPlaces.on(assets).points(assets, neutral)
    return lambda hat: crown_of(hat, assets.body, neutral, landmarks)


def _far(crown: Crown, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far points are outside the shell, and their height above the rim."""
    x, y, z = crown.local(points).T
    shell = crown.at(np.arctan2(x, z), np.arctan2(y, np.hypot(x, z)))
    return np.linalg.norm([x, y, z], axis=0) - shell, y


def test_a_share_of_people_wears_one_of_every_kind():
    rng = np.random.default_rng(0)
    worn = [sample_hat(rng) for _ in range(1500)]
    kinds = [hat.kind for hat in worn if hat is not None]
    assert abs(len(kinds) / len(worn) - SHARE) < 0.025
    assert set(kinds) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_head_is_inside_and_the_eyes_are_free(kind, neutral, fitted):
    body = TemplateAssets().body
    skin = neutral[np.unique(body["face"][body["region"] == 2, :3].astype(int))]
    for seed in range(4):
        hat = KINDS[kind](np.random.default_rng(seed))
        crown = fitted(hat)
        outside, height = _far(crown, skin)
        assert (height > 0.05).sum() > 50
        assert outside[height > 0.05].max() < -0.02
        cloth = np.concatenate([mesh.vertex[:, :3] for mesh in hat_meshes(hat, crown)])
        assert np.isfinite(cloth).all()
        before_eyes = (np.abs(cloth[:, 0]) < 0.5) & (cloth[:, 2] > 0)
        assert cloth[before_eyes, 1].min() > 0.0
        assert cloth[:, 1].max() > skin[:, 1].max()


@pytest.mark.parametrize("kind", KINDS)
def test_surfaces_face_outwards(kind, fitted):
    hat = KINDS[kind](np.random.default_rng(1))
    crown = fitted(hat)
    shell, *others = hat_meshes(hat, crown)
    point, normal = shell.vertex[-500:, :3], shell.vertex[-500:, 3:6]
    assert ((point - crown.centre) * normal).sum(1).min() > 0
    if hat.brim:
        (plate,) = others
        height, up = crown.local(plate.vertex[:, :3])[:, 1], plate.vertex[:, 3:6] @ crown.axes[1]
        height, up = height.reshape(9, -1), up.reshape(9, -1)
        assert (up[:2, 1:-1] < 0).all()
        assert (up[-2:, 1:-1] > 0).all()
        assert (height[-1] > height[0]).all()


def test_hair_is_pressed_above_the_rim_and_free_below(fitted):
    hat = replace(KINDS[WOOLLY](np.random.default_rng(2)), slouch=0.0)
    crown = fitted(hat)
    rng = np.random.default_rng(0)
    path = crown.centre + rng.normal(0, 1.2, (200, 6, 3))
    side = rng.normal(0, 0.1, path.shape)
    pressed = under(crown, Cards(path, side, side, np.zeros(200)))
    outside, height = _far(crown, pressed.path.reshape(-1, 3))
    assert outside[height > 0].max() < -0.03
    moved = np.linalg.norm(pressed.path - path, axis=2)
    low = crown.local(path.reshape(-1, 3))[:, 1].reshape(moved.shape) < -1.8
    assert moved[~low].max() > 1
    assert (moved[low] < 1e-9).mean() > 0.8
    away = pressed.path - crown.centre
    across = (pressed.side * away).sum(2) / np.linalg.norm(away, axis=2)
    top = crown.local(pressed.path)[..., 1] > 0
    assert np.abs(across[top]).max() < 1e-9  # ribbons lie flat
    assert np.abs(across[low]).max() > 0.1


def test_a_cap_turned_round_has_its_peak_behind(fitted):
    hat = KINDS[CAP](np.random.default_rng(3))
    reach = []
    for backwards in (False, True):
        turned = replace(hat, backwards=backwards)
        crown = fitted(turned)
        peak = crown.local(hat_meshes(turned, crown)[-1].vertex[:, :3])
        reach.append(peak[np.abs(peak[:, 2]).argmax(), 2])
    assert reach[0] > 1.2
    assert reach[1] < -1.2


def test_a_hat_is_drawn_above_the_brows_and_counts_as_hair(bare_studio, monkeypatch):
    hat = replace(KINDS[WOOLLY](np.random.default_rng(4)), front=0.2)
    pictures = []
    for worn in (hat, None):
        monkeypatch.setattr("pretrain_synthetic.people.sample_hat", lambda _, worn=worn: worn)
        pictures.append(next(bare_studio.views(3, 1, wanted=(0,))))
    view = pictures[0]
    x, y = ((view.landmarks[10, :2] + 1) / 2 * len(view.frame.parts)).astype(int)
    assert view.frame.parts[y - 4, x] == PARTS.index("hair")
    assert (view.frame.rgb[:y] != pictures[1].frame.rgb[:y]).mean() > 0.1
