"""Grown hair as triangles: an atlas of locks drawn strand by strand, and ribbons that show it."""

import cv2
import numpy as np
from scipy.spatial import cKDTree

from pretrain_synthetic.heads.assets import Assets
from pretrain_synthetic.heads.crown import Crown, under
from pretrain_synthetic.heads.grow import Cards, Scalp, grow
from pretrain_synthetic.heads.hair import Cut
from pretrain_synthetic.heads.meshes import HAIR, normals
from pretrain_synthetic.heads.scene import CARD, Mesh
from pretrain_synthetic.heads.turn import hair_follows

_LOCKS = 8
"""Locks side by side in the atlas, the darkest and densest first: they lie innermost."""
_SIZE = 512
_SHIFT = 4
_CASTING = 0.4
"""Share of the cards that cast shadows: enough for a dark side, half the work."""
_SCALP_FACES = 2
"""Region of body.npz on which hair grows."""


def grown_hair(
    rng: np.random.Generator,
    assets: Assets,
    cut: Cut,
    neutral: np.ndarray,
    crown: Crown | None = None,
) -> list[Mesh]:
    """The hair of a cut with a style on body vertices (v, 3) at rest; nothing without one.

    crown: a hat's, that presses the hair down.
    """
    if cut.style is None:
        return []
    scalp = scalp_of(rng, assets.body, neutral, assets.texture("body_masks"))
    cards = grow(rng, cut.style, scalp)
    if crown is not None:
        cards = under(crown, cards)
    atlas = lock_atlas(rng, cut.rgb, min(1.0, 10 * cut.style.curl), cut.grey)
    return card_meshes(rng, cards, atlas, neutral[assets.body["chin_vertex"]].mean(0))


def scalp_of(
    rng: np.random.Generator,
    body: dict[str, np.ndarray],
    neutral: np.ndarray,
    masks: np.ndarray,
    count: int = 6000,
) -> Scalp:
    """Roots spread evenly where masks (h, w, 4; red) say, on body vertices (v, 3) at rest."""
    face = body["face"].astype(int)
    normal = normals(neutral, face[:, :3])
    corner, uv = face[body["region"] == _SCALP_FACES].reshape(-1, 2, 3).transpose(1, 0, 2)
    a, b, c = neutral[corner].transpose(1, 0, 2)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    pick = rng.choice(len(area), 6 * count, p=area / area.sum())
    u, v = rng.random((2, len(pick)))
    flip = u + v > 1
    u, v = np.where(flip, 1 - u, u), np.where(flip, 1 - v, v)
    weight = np.stack([1 - u - v, u, v], 1)[..., None]
    at = (body["uv"][uv[pick]] * weight).sum(1)
    h, w = masks.shape[:2]
    row = np.clip((1 - at[:, 1]) * h, 0, h - 1).astype(int)
    column = np.clip(at[:, 0] * w, 0, w - 1).astype(int)
    grows = masks[row, column, 0] / 255 > rng.uniform(0.06, 0.5, len(pick))
    root = (neutral[corner[pick]] * weight).sum(1)[grows][:count]
    away = (normal[corner[pick]] * weight).sum(1)[grows][:count]
    away /= np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-9)
    skin = np.unique(face[body["region"] != 6][:, :3])
    return Scalp(root, away, cKDTree(neutral[skin]), neutral[skin], normal[skin])


def lock_atlas(rng: np.random.Generator, rgb: np.ndarray, curl: float, grey: float) -> np.ndarray:
    """(512, 512, 4) uint8 RGBA of locks, roots at the top, in a linear colour (3,).

    curl 0 to 1 makes single strands wind; a share of grey of them is white.
    """
    light, cover = np.zeros((_SIZE, _SIZE), np.uint8), np.zeros((_SIZE, _SIZE), np.uint8)
    white = np.zeros((_SIZE, _SIZE), np.uint8)
    t, wide = np.linspace(0, 1, 24), _SIZE / _LOCKS
    for lock in range(_LOCKS):
        strands = 44 - 3 * lock
        for _ in range(strands):
            start = rng.uniform(0.08, 0.92)
            tip = 0.5 + (start - 0.5) * rng.uniform(0.05, 0.7) + rng.normal(0, 0.05)
            x = start + (tip - start) * t**1.6
            x = x + 0.03 * np.sin(2 * np.pi * (t * rng.uniform(0.3, 1) + rng.random()))
            x = x + 0.09 * curl * np.sin(2 * np.pi * (t * rng.uniform(4, 7) + rng.random())) * t
            end = rng.uniform(0.55, 1.0)
            y = t * end * _SIZE
            points = np.stack([(lock + np.clip(x, 0.03, 0.97)) * wide, y], 1)
            points = np.rint(points * 2**_SHIFT).astype(np.int32)[None]
            shade = int(np.clip(120 * np.exp(rng.normal(0, 0.3)), 30, 255))
            thick = int(rng.choice([1, 2, 2]))
            cv2.polylines(light, points, False, shade, thick, cv2.LINE_AA, _SHIFT)
            cv2.polylines(cover, points, False, 255, thick, cv2.LINE_AA, _SHIFT)
            pale = 255 if rng.random() < grey else 0
            cv2.polylines(white, points, False, pale, thick, cv2.LINE_AA, _SHIFT)
    column = np.repeat(np.linspace(0.62, 1.12, _LOCKS), _SIZE // _LOCKS)[None]
    down = np.linspace(0, 1, _SIZE)[:, None]
    value = light.astype("f4") / 120
    empty = cv2.GaussianBlur(value, (0, 0), 5) / np.maximum(
        cv2.GaussianBlur((cover / 255).astype("f4"), (0, 0), 5), 0.05
    )
    value = np.where(cover > 128, value, np.clip(empty, 0.5, 1.5))
    value = value * column * (0.55 + 0.6 * np.minimum(down * 2.2, 1))
    mixed = (white / 255)[..., None]
    colour = rgb * (1 - mixed) + np.array([0.45, 0.45, 0.44]) * mixed
    colour = colour * (1 + np.array([0.25, 0.12, 0.0]) * (down[..., None] - 0.4))
    out = np.clip(value[..., None] * colour, 0, 1) ** (1 / 2.2) * 255
    return np.dstack([out.astype(np.uint8), cover])


def card_meshes(
    rng: np.random.Generator, cards: Cards, atlas: np.ndarray, chin: np.ndarray
) -> list[Mesh]:
    """Ribbons as meshes, those that cast shadows first; chin (3,) at rest."""
    count, points, _ = cards.path.shape
    lock = np.clip(cards.layer * _LOCKS + rng.normal(0, 1.0, count), 0, _LOCKS - 1).astype(int)
    flip = rng.random(count) < 0.5
    left, right = lock / _LOCKS, (lock + 1) / _LOCKS
    u = np.stack([np.where(flip, right, left), np.where(flip, left, right)], 1)
    v = 1 - np.linspace(0.0, 1, points)
    vertex = np.empty((count, points, 2, 9), "f4")
    for k, sign in enumerate((-1, 1)):
        vertex[:, :, k, :3] = cards.path + sign * cards.side
        vertex[:, :, k, 6] = u[:, k, None]
    vertex[..., 3:6] = cards.outward[:, :, None]
    vertex[..., 7] = v[None, :, None]
    follows = hair_follows(cards.path.reshape(-1, 3), chin).reshape(count, points)
    vertex[..., 8] = follows[..., None]
    step = np.arange(points - 1)[:, None] * 2
    quad = (step[..., None] + [[0, 1, 2], [1, 3, 2]]).reshape(-1, 3)
    triangle = (np.arange(count)[:, None, None] * points * 2 + quad).astype("i4")
    cast = int(count * _CASTING)
    shared = vertex.reshape(-1, 9)
    return [
        Mesh(shared, part.reshape(-1, 3), atlas, "hair", HAIR, strands=CARD, shadow=shadow)
        for part, shadow in ((triangle[:cast], True), (triangle[cast:], False))
    ]
