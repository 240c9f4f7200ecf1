"""Hair that grows: cards combed over a skull, with curls, locks and collisions."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

CROWN_DM = np.array([0.12, 1.0, -1.35])
"""The whorl, about which short hair lies."""
_SKULL_DM = np.array([0.0, 0.35, -0.75])
_CLOTH_DM = 0.13
"""How far above the skin hair lies on the shoulders."""
_EAR_Y = -0.5
_FRINGE_DM = 0.72
"""Longest hair that falls onto the forehead: eyes stay in sight."""


@dataclass(frozen=True)
class Style:
    """How hair is cut and combed. Lengths in decimetres."""

    flow: str
    """Where it lies: "crown" from the whorl, "part" from a parting, "back", "out" from the skin,
    "forward" onto the forehead, "tie" to a knot."""
    top: float
    """Length on top of the head."""
    side: float
    """Length at the sides and the back."""
    lift: float = 0.3
    """How steeply it leaves the skin, 0 to 1."""
    volume: float = 0.12
    """Height of the topmost layer above the skin."""
    gravity: float = 0.3
    curl: float = 0.0
    """Radius of the curls."""
    curl_wave: float = 0.6
    """Length of one turn of a curl or of one wave."""
    wave: float = 0.0
    """Height of waves that neighbours share."""
    clump: float = 0.4
    """How far a lock draws together at its tips, 0 to 1."""
    messy: float = 0.12
    cards: int = 1500
    segments: int = 10
    width: float = 0.16
    part_x: float = 0.0
    fringe: float = 0.0
    """Share of the front that falls onto the forehead."""
    behind: float = 0.6
    """How much of long hair is led behind the shoulders."""
    knot: tuple[float, float, float] = (0.0, 0.3, -2.0)
    tail: float = 0.0
    """Length of a tail at the knot; 0: a bun."""
    receding: float = 0.0
    """Bare temples and crown, 0 to 1."""


@dataclass(frozen=True)
class Cards:
    """Ribbons along hair."""

    path: np.ndarray
    """(n, s + 1, 3) from root to tip, decimetres."""
    side: np.ndarray
    """(n, s + 1, 3) half the ribbon across."""
    outward: np.ndarray
    """(n, s + 1, 3) normals as of the whole hair, so that it is shaded as one body."""
    layer: np.ndarray
    """(n,) 0 innermost to 1 outermost."""


@dataclass(frozen=True)
class Scalp:
    """A body at rest: where hair grows and what it must not enter."""

    root: np.ndarray
    """(n, 3) candidate roots."""
    normal: np.ndarray
    """(n, 3)."""
    tree: cKDTree
    """Of the skin's vertices."""
    skin: np.ndarray
    """(v, 3)."""
    skin_normal: np.ndarray
    """(v, 3)."""


def grow(rng: np.random.Generator, style: Style, scalp: Scalp) -> Cards:
    """Cards of a style on a scalp."""
    chosen = _roots(rng, style, scalp)
    root, normal = scalp.root[chosen], scalp.normal[chosen]
    count = len(root)
    layer = rng.random(count)
    length = _lengths(style, root) * rng.triangular(0.55, 1.0, 1.1, count)
    if style.flow == "tie":
        length = np.linalg.norm(root - style.knot, axis=1) * 1.15
    lock = _locks(rng, root, max(20, count // 9))
    path = _comb(rng, style, scalp, root, normal, length, layer, lock)
    if style.flow == "tie":
        path, layer = _knot(rng, style, path, layer)
        count = len(path)
    path = _curl(rng, style, path)
    return _ribbons(rng, style, path, layer)


def _roots(rng: np.random.Generator, style: Style, scalp: Scalp) -> np.ndarray:
    """Indices of the candidates that keep their hair."""
    x, y, z = scalp.root.T
    keep = np.ones(len(x), bool)
    if style.receding > 0:
        forehead = (z - 0.18 * np.cos(4 * x)) > -0.15 - 0.75 * style.receding
        crown = np.linalg.norm(scalp.root - CROWN_DM, axis=1) < 0.9 * style.receding
        keep = ~((forehead & (y > 0.55)) | (crown & (rng.random(len(x)) < 0.9)))
    index = np.flatnonzero(keep)
    return rng.choice(index, min(style.cards, len(index)), replace=False)


def _lengths(style: Style, root: np.ndarray) -> np.ndarray:
    """(n,) from the sides' to the top's by height."""
    up = np.clip((root[:, 1] - 0.25) / 0.6, 0, 1)
    return style.side + (style.top - style.side) * up * up * (3 - 2 * up)


def _locks(rng: np.random.Generator, root: np.ndarray, count: int) -> np.ndarray:
    """(n,) card that leads each card's lock."""
    leader = rng.choice(len(root), min(count, len(root)), replace=False)
    return leader[cKDTree(root[leader]).query(root)[1]]


def _flow(style: Style, point: np.ndarray, root: np.ndarray, front: np.ndarray) -> np.ndarray:
    """(n, 3) where the comb pulls at points; not yet along the skin."""
    zigzag = 0.06 * np.sin(61 * root[:, 2:] + 23 * root[:, :1])  # a parting shows little skin
    x = root[:, :1] - style.part_x + zigzag
    away = np.where(x >= 0, 1.0, -1.0)
    down = root - CROWN_DM
    one = np.ones((len(point), 1))
    if style.flow == "back":
        return one * (0, 0.05, -1.0)
    if style.flow == "tie":
        return np.array(style.knot) - point
    if style.flow == "part":
        forward = np.clip((root[:, 2:] + 0.9) / 0.8, 0, 1)
        pull = np.concatenate([away, -0.35 * one, -0.55 * forward], 1)
        back = np.clip((-1.2 - root[:, 2:]) / 0.5, 0, 1)
        pull = pull * (1 - back) + back * (0.25 * away * (1, 0, 0) + np.array([0, -1.0, 0.0]))
    else:
        pull = down / np.maximum(np.linalg.norm(down, axis=1, keepdims=True), 0.2)
    on_forehead = np.array([0.25, -0.35, 1.0]) * np.concatenate([away, one, one], 1)
    return np.where(front[:, None], on_forehead, pull)


def _comb(
    rng: np.random.Generator,
    style: Style,
    scalp: Scalp,
    root: np.ndarray,
    normal: np.ndarray,
    length: np.ndarray,
    layer: np.ndarray,
    lock: np.ndarray,
) -> np.ndarray:
    """Paths (n, s + 1, 3): step by step along the comb, down by gravity, never into the skin."""
    count, steps = len(root), style.segments
    front = (root[:, 2] > -0.45) & (root[:, 1] > 0.5) & (rng.random(count)[lock] < style.fringe)
    if style.flow == "forward":
        front = (root[:, 2] > -1.0) & (root[:, 1] > 0.55)
    length = np.where(front, np.minimum(length, _FRINGE_DM), length)
    stray = rng.normal(0, style.messy, (count, 3))
    stray = 0.75 * rng.normal(0, style.messy, (count, 3))[lock] + 0.5 * stray
    height = style.volume * (0.12 + 0.88 * layer)
    path = [root + normal * 0.01]
    heading, near = None, normal
    for k in range(1, steps + 1):
        t = k / steps
        pull = _flow(style, path[-1], root, front) if style.flow != "out" else normal.copy()
        along = pull - (pull * near).sum(1, keepdims=True) * near * (style.flow != "out")
        along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6)
        steep = style.lift * max(0.0, 1 - 2.5 * (k - 1) / steps)
        wish = along * (1 - steep) + normal * steep + stray
        if heading is not None:
            wish = 0.55 * heading + 0.45 * wish
        hang = np.clip((_EAR_Y + 0.9 - path[-1][:, 1]) / 0.9, 0, 1) if style.top > 1 else t
        weight = style.gravity * np.broadcast_to(hang, count)[:, None]
        wish = wish * np.clip(1 - weight, 0.05, 1) + weight * np.array([0, -1.0, 0])
        heading = wish / np.maximum(np.linalg.norm(wish, axis=1, keepdims=True), 1e-6)
        point = path[-1] + heading * (length / steps)[:, None]
        if style.top > 1:
            point = _led_aside(style, point, front)
        point, near = _outside(scalp, point, height * min(1.0, 3 * t), style)
        path.append(point)
    path = np.stack(path, 1)
    t = np.linspace(0, 1, steps + 1)[None, :, None]
    led = path[lock] + (root - root[lock])[:, None] * (1 - 0.5 * t)
    return path + style.clump * t**1.5 * (led - path)


def _outside(
    scalp: Scalp, point: np.ndarray, height: np.ndarray, style: Style
) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 3) at least height (n,) above the skin, and the skin's normal there.

    On the skull they also stay near it: combed hair lies, it does not stand off.
    """
    _, index = scalp.tree.query(point, workers=1)
    near = scalp.skin_normal[index]
    above = ((point - scalp.skin[index]) * near).sum(1)
    wanted = height + np.where(point[:, 1] < -1.5, _CLOTH_DM, 0.0)
    point = point + np.maximum(wanted - above, 0)[:, None] * near
    if style.flow != "out":
        slack = 0.03 + 0.2 * style.lift**2 + np.clip(-0.2 - point[:, 1], 0, 9)
        point = point - np.maximum(above - wanted - slack, 0)[:, None] * near
    return point, near


def _led_aside(style: Style, point: np.ndarray, front: np.ndarray) -> np.ndarray:
    """Long hair kept out of the face and led behind the shoulders."""
    x, y, z = point.T
    face = (z > -0.5) & (y < 0.62) & ~(front & (y > 0.2))
    wide = 0.74 + 0.1 * np.clip(-y, 0, 1)
    aside = np.where(face, np.sign(x) * np.maximum(np.abs(x), wide), x)
    x = x + 0.5 * (aside - x)
    back = style.behind * 0.09 * np.clip(-0.5 - y, 0, 1) * (z > -1.3)
    return np.stack([x, y, z - back], 1)


def _knot(
    rng: np.random.Generator, style: Style, path: np.ndarray, layer: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The tail or bun at the knot added to combed-up hair."""
    steps, knot = path.shape[1], np.array(style.knot)
    count = 260
    t = np.linspace(0, 1, steps)[None, :, None]
    if style.tail > 0:
        spread = rng.normal(0, 1, (count, 1, 3)) * (0.1, 0.1, 0.06)
        out = np.array([0, 0.1, -0.55]) * np.sin(np.pi * np.minimum(t, 0.5)) * 0.7
        fall = np.array([0, -1.0, 0.05]) * style.tail * t**1.4
        added = knot + spread * (0.5 + 1.6 * t * (1.15 - t)) + out + fall
        added = added + rng.normal(0, 0.05, (count, 1, 3)) * t
    else:
        radius = 0.34 * rng.uniform(0.8, 1.05, (count, 1, 1))
        a = rng.normal(size=(count, 3)) * (0.5, 0.5, 1.0)
        a /= np.linalg.norm(a, axis=1, keepdims=True)
        b = np.cross(a, rng.normal(size=(count, 3)))
        b /= np.linalg.norm(b, axis=1, keepdims=True)
        turn = rng.uniform(0, 2 * np.pi, (count, 1, 1)) + 2.2 * t
        c = np.cross(a, b)
        added = knot + radius * (np.cos(turn) * b[:, None] + np.sin(turn) * c[:, None])
    return np.concatenate([path, added]), np.concatenate([layer, rng.uniform(0.3, 1, count)])


def _curl(rng: np.random.Generator, style: Style, path: np.ndarray) -> np.ndarray:
    """Curls of each card's own phase, and waves that follow the height."""
    if not style.curl and not style.wave:
        return path
    count = len(path)
    gone = np.linalg.norm(np.diff(path, axis=1), axis=2).cumsum(1)
    gone = np.concatenate([np.zeros((count, 1)), gone], 1)
    ramp = np.minimum(gone / 0.35, 1)[..., None]
    out = path.copy()
    if style.curl:
        along = np.gradient(path, axis=1)
        along /= np.maximum(np.linalg.norm(along, axis=2, keepdims=True), 1e-6)
        u = np.cross(along, rng.normal(size=(count, 1, 3)))
        u /= np.maximum(np.linalg.norm(u, axis=2, keepdims=True), 1e-6)
        w = np.cross(along, u)
        tight = rng.uniform(0.8, 1.25, (count, 1)) / style.curl_wave
        angle = (2 * np.pi * gone * tight + rng.uniform(0, 2 * np.pi, (count, 1)))[..., None]
        out += style.curl * ramp * (np.cos(angle) * u + np.sin(angle) * w)
    if style.wave:
        outward = path - _SKULL_DM
        outward[..., 1] *= 0.2
        outward /= np.maximum(np.linalg.norm(outward, axis=2, keepdims=True), 1e-6)
        phase = 2 * np.pi * gone / style.curl_wave + 3 * path[:, :1, 0] + rng.uniform(0, 1)
        out += style.wave * ramp * np.sin(phase)[..., None] * outward
    return out


def _ribbons(rng: np.random.Generator, style: Style, path: np.ndarray, layer: np.ndarray) -> Cards:
    """Ribbons that lie on the head, a little twisted."""
    along = np.gradient(path, axis=1)
    along /= np.maximum(np.linalg.norm(along, axis=2, keepdims=True), 1e-6)
    centre = np.concatenate(
        [
            _SKULL_DM[None, None, :1] + 0 * path[..., :1],
            np.minimum(path[..., 1:2], 0.35),
            _SKULL_DM[None, None, 2:] - 0.15 + 0 * path[..., :1],
        ],
        2,
    )  # below the skull's centre the head is a column
    outward = path - centre
    outward /= np.maximum(np.linalg.norm(outward, axis=2, keepdims=True), 1e-6)
    across = np.cross(along, outward + rng.normal(0, 0.35, (len(path), 1, 3)))
    across /= np.maximum(np.linalg.norm(across, axis=2, keepdims=True), 1e-6)
    facet = np.cross(across, along)
    facet *= np.sign((facet * outward).sum(2, keepdims=True) + 1e-9)
    normal = 0.65 * outward + 0.35 * facet
    normal /= np.maximum(np.linalg.norm(normal, axis=2, keepdims=True), 1e-6)
    width = style.width * rng.uniform(0.7, 1.3, (len(path), 1, 1)) / 2
    taper = 1 - (0.35 if style.top > 1 else 0.6) * np.linspace(0, 1, path.shape[1])[None, :, None]
    return Cards(path, across * width * taper, normal, layer)
