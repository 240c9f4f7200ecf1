"""Light: random probes, the few directions that stand for a probe, and backdrops."""

from dataclasses import dataclass

import cv2
import numpy as np

from pretrain_synthetic.heads.assets import Assets
from pretrain_synthetic.heads.scene import Camera, Light

_RADIANCE_LIMIT = 60.0
_LUMA = np.array([0.2126, 0.7152, 0.0722])
_FACE_NORMALS = np.array([[0, 0.25, 0.97], [0.6, 0.2, 0.77], [-0.6, 0.2, 0.77], [0, 0.9, 0.4]])
"""Forehead, cheeks and crown: what the exposure is set by."""


@dataclass(frozen=True)
class Lamps:
    """Directional lamps in the head frame, and the surroundings for reflections."""

    direction: np.ndarray
    """(n, 3) towards the lamps."""
    colour: np.ndarray
    """(n, 3) linear RGB, exposed and white-balanced."""
    surroundings: np.ndarray
    """(h, w, 3) white-balanced radiance, not yet exposed."""
    exposure: float
    """Factor from surroundings to the picture."""


def sample_light(rng: np.random.Generator, assets: Assets) -> Light:
    """A turned probe; at times with an added key light."""
    probe = assets.probe(str(rng.choice(assets.probe_names()))).copy()
    rotation = float(rng.uniform(0, 2 * np.pi))
    if rng.random() < 0.4:  # soft lamp, warm or cool, somewhere in the upper front half
        h, w, _ = probe.shape
        u = (rng.normal(0, 0.14) + rotation / (2 * np.pi)) % 1 * w
        v = rng.uniform(0.15, 0.5) * h
        x = (np.arange(w) - u + w / 2) % w - w / 2
        radius = rng.uniform(4, 14)
        blob = np.exp(-(x[None] ** 2 + (np.arange(h)[:, None] - v) ** 2) / (2 * radius**2))
        colour = np.array([1, 0.9, 0.8]) ** rng.uniform(-0.6, 1.4)
        power = probe.sum() / 3 * rng.uniform(0.2, 0.8)
        probe += (blob[..., None] * colour / blob.sum() * power).astype("f4")
    return Light(probe, rotation, float(np.exp(rng.normal(0, 0.2))))


def lamps_of(light: Light, count: int) -> Lamps:
    """The lamps that stand for a light, exposed so that a face comes out at a fair brightness."""
    probe = np.minimum(light.probe, _RADIANCE_LIMIT)
    direction, colour = probe_directions(probe, count)
    c, s = np.cos(light.rotation), np.sin(light.rotation)
    x, y, z = direction.T
    direction = np.stack([x * c - z * s, y, x * s + z * c], 1)
    arriving = np.maximum(_FACE_NORMALS @ direction.T, 0) @ colour @ _LUMA / np.pi
    scale = light.exposure * 0.78 / (0.55 * arriving[:3].max() + 0.45 * arriving.mean())
    total = colour.sum(0)
    white = np.clip((total / (total @ _LUMA)) ** -0.7, 0.55, 1.8)  # partial white balance
    return Lamps(direction, colour * scale * white / np.pi, probe * white, float(scale))


def probe_directions(hdr: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Median cut (Debevec 2005): directions (count, 3) and their integrated radiance (count, 3)."""
    h, w, _ = hdr.shape
    theta, phi = (np.arange(h) + 0.5) / h * np.pi, (np.arange(w) + 0.5) / w * 2 * np.pi
    energy = hdr * (np.sin(theta) * (np.pi / h) * (2 * np.pi / w))[:, None, None]
    power = energy.sum(-1) + 1e-12

    def weight(r: tuple[int, int, int, int]) -> float:
        return power[r[0] : r[1], r[2] : r[3]].sum() * (r[1] - r[0] > 1 or r[3] - r[2] > 1)

    regions = [(0, h, 0, w)]
    while len(regions) < count:
        regions.sort(key=weight)
        a, b, c, d = regions.pop()
        wide = (d - c) * np.sin(theta[(a + b) // 2]) * 2 / w >= (b - a) / h
        if (wide or b - a < 2) and d - c > 1:
            line = np.cumsum(power[a:b, c:d].sum(0))
            k = int(np.clip(c + 1 + np.searchsorted(line, line[-1] / 2), c + 1, d - 1))
            regions += [(a, b, c, k), (a, b, k, d)]
        else:
            line = np.cumsum(power[a:b, c:d].sum(1))
            k = int(np.clip(a + 1 + np.searchsorted(line, line[-1] / 2), a + 1, b - 1))
            regions += [(a, k, c, d), (k, b, c, d)]
    direction, colour = [], []
    for a, b, c, d in regions:
        p = power[a:b, c:d]
        t, f = (p.sum(1) @ theta[a:b]) / p.sum(), (p.sum(0) @ phi[c:d]) / p.sum()
        direction.append([np.sin(t) * np.sin(f), np.cos(t), np.sin(t) * np.cos(f)])
        colour.append(energy[a:b, c:d].sum((0, 1)))
    return np.array(direction), np.array(colour)


def sample_backdrop(
    rng: np.random.Generator, light: Light, camera: Camera, size: int
) -> np.ndarray:
    """(size, size, 3) linear RGB: the surroundings out of focus, or a wall with soft patches."""
    if rng.random() < 0.5:
        return _surroundings(rng, light, camera, size)
    wall = rng.uniform(0.05, 0.7) * np.exp(rng.normal(0, 0.2, 3))
    patches = (wall * np.exp(rng.normal(0, 0.35, (5, 5, 1)))).astype("f4")
    return np.clip(cv2.resize(patches, (size, size), interpolation=cv2.INTER_CUBIC), 0, 1.2)


def _surroundings(rng: np.random.Generator, light: Light, camera: Camera, size: int) -> np.ndarray:
    """The probe behind the head, blurred; at times a wall with a gradient."""
    if rng.random() < 0.3:
        wall = rng.uniform(0.05, 0.7) * np.exp(rng.normal(0, 0.15, 3))
        shade = np.linspace(rng.uniform(0.7, 1.2), rng.uniform(0.7, 1.2), size)
        return (wall * np.ones((size, 1, 3)) * shade[None, :, None]).astype("f4")
    h, w, _ = light.probe.shape
    column = int(((np.deg2rad(camera.yaw_deg) + np.pi + light.rotation) / (2 * np.pi) % 1) * w)
    row = int(np.clip(0.5 + camera.pitch_deg / 180, 0.3, 0.7) * h)
    turned = np.roll(np.minimum(light.probe, 20), w // 2 - column, 1)
    patch = turned[max(row - 28, 0) : row + 28, w // 2 - 28 : w // 2 + 28]
    patch = cv2.GaussianBlur(np.ascontiguousarray(patch, "f4"), (0, 0), rng.uniform(1.0, 4.0))
    image = cv2.resize(patch, (size, size), interpolation=cv2.INTER_CUBIC)
    return np.clip(image / image.mean() * rng.uniform(0.12, 0.45), 0, 1.3)
