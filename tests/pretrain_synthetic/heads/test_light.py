"""Lamps that stand for a probe: energy is kept, directions are right, rotation turns them."""

import numpy as np

from pretrain_synthetic.heads.light import lamps_of, probe_directions, sample_backdrop
from pretrain_synthetic.heads.scene import Camera, Light


def _probe(row: int, column: int) -> np.ndarray:
    """A dim sphere with one bright patch."""
    probe = np.full((32, 64, 3), 0.01, np.float32)
    probe[row, column] = 50
    return probe


def test_lamps_carry_the_energy_of_the_probe():
    probe = np.random.default_rng(0).uniform(0, 1, (32, 64, 3)).astype(np.float32)
    direction, colour = probe_directions(probe, 8)
    theta = (np.arange(32) + 0.5) / 32 * np.pi
    solid_angle = np.sin(theta)[:, None, None] * (np.pi / 32) * (2 * np.pi / 64)
    np.testing.assert_allclose(colour.sum(0), (probe * solid_angle).sum((0, 1)), rtol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(direction, axis=1), 1, rtol=1e-5)


def test_the_brightest_lamp_points_at_the_bright_patch():
    direction, colour = probe_directions(_probe(16, 16), 8)  # a quarter turn: the +x axis
    assert direction[colour.sum(1).argmax()] @ [1, 0, 0] > 0.98


def test_rotation_turns_the_lamps_as_it_turns_the_probe():
    light = Light(_probe(16, 16), rotation=np.pi / 2)
    lamps = lamps_of(light, 8)
    assert lamps.direction[lamps.colour.sum(1).argmax()] @ [0, 0, 1] > 0.98


def test_exposure_does_not_depend_on_the_probes_scale():
    probe = np.random.default_rng(0).uniform(0, 1, (32, 64, 3)).astype(np.float32)
    a, b = (lamps_of(Light(probe * k, 0.3), 8).colour for k in (0.2, 1.0))
    np.testing.assert_allclose(a, b, rtol=1e-4)


def test_backdrops_are_linear_pictures():
    light = Light(_probe(10, 3), 0.0)
    camera = Camera.looking_at(np.zeros(3), 10.0, 0.2, (20.0, 5.0, 0.0))
    for seed in range(8):
        image = sample_backdrop(np.random.default_rng(seed), light, camera, 48)
        assert image.shape == (48, 48, 3)
        assert 0 <= image.min() <= image.max() <= 1.3
