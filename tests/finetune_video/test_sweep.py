import numpy as np
import pytest
import torch

from finetune_video.sweep import NoSweep, complete_sweep
from real3d.camera import FOCAL, Camera
from real3d.face.template import SKIN
from real3d.fitting import cpu_fitter
from real3d.rotation import rotation_from_euler

COUNT, SIZE = 72, 192
REST, NOBODY = torch.zeros(1, 52), torch.zeros(1, 478, 3)


def _cameras(yaw_deg: np.ndarray) -> Camera:
    """A head that turns steadily about a point behind its origin, seen a little from above."""
    angles = torch.zeros(len(yaw_deg), 3)
    angles[:, 0], angles[:, 1] = torch.from_numpy(np.radians(yaw_deg)), 0.1
    rotation = rotation_from_euler(angles)
    centre = torch.tensor([0.05, 0.1, FOCAL / 0.75])
    return Camera(rotation, rotation @ torch.tensor([0.0, 0.0, -0.4]) + centre)


def _drawn(camera: Camera) -> list[np.ndarray]:
    """Grey blobs on the skin that faces the camera."""
    import cv2

    template = cpu_fitter().template
    vertices = template.posed(NOBODY, REST)
    normals, skin = template.normals(vertices)[0], (template.vertex_layer == SKIN).numpy()
    chosen = np.random.default_rng(0).permutation(np.flatnonzero(skin))[:2500]
    greys = np.random.default_rng(1).integers(40, 255, len(chosen))
    pictures = []
    for k in range(len(camera)):
        facing = (normals @ camera.rotation[k].T)[:, 2].numpy() < -0.05
        places = ((camera[k : k + 1].project(vertices)[0, :, :2] + 1) * SIZE / 2).numpy()
        picture = np.zeros((SIZE, SIZE, 3), np.uint8)
        for vertex, grey in zip(chosen, greys.tolist(), strict=True):
            if facing[vertex]:
                x, y = places[vertex]
                cv2.circle(picture, (round(x * 8), round(y * 8)), 20, (grey,) * 3, -1, 16, 3)
        pictures.append(picture)
    return pictures


@pytest.fixture(scope="module")
def sweep():
    """Yaws, cameras, pictures, and what is tracked to 65 degrees of a full turn."""
    yaw = (np.arange(COUNT) * 360 / COUNT + 180) % 360 - 180
    order = np.argsort(np.abs(yaw), kind="stable")[0]
    yaw = np.roll(yaw, -order)  # begins at the front, as sweeps do
    camera = _cameras(yaw)
    template = cpu_fitter().template
    vertices = template.posed(NOBODY, REST).expand(COUNT, -1, -1)
    points = camera.project(template.posed_landmarks(vertices))
    points[..., 2] *= camera.scale[:, None]
    landmarks = points.numpy()
    landmarks[np.abs(yaw) > 65] = np.nan
    coefficients = np.where(np.isfinite(landmarks[:, :1, 0]), 0, np.nan) * np.ones((1, 52))
    return yaw, camera, _drawn(camera), landmarks, coefficients.astype(np.float32)


def test_cameras_to_the_profile(sweep):
    yaw, camera, pictures, landmarks, coefficients = sweep
    found = complete_sweep(pictures, landmarks, coefficients)
    near = np.abs(yaw) <= 95
    turn = np.abs((found.yaw_deg - yaw + 180) % 360 - 180)
    assert turn[near].max() < 2
    place = (found.camera.translation - camera.translation).norm(dim=-1).numpy()
    assert place[near].max() < 0.05
    assert found.held_out_percent < 3
    unseen = near & (np.abs(yaw) > 65)
    assert found.trusted[unseen].mean() > 0.6
    assert not found.trusted[~unseen].any()
    assert found.flow_miss < 0.3
    assert found.landmarks(np.array([3])) == pytest.approx(landmarks[[3]], abs=0.02)


def test_pictures_that_do_not_move_so_are_not_trusted(sweep):
    _, _, pictures, landmarks, coefficients = sweep
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, p.shape, dtype=np.uint8) for p in pictures]
    assert not complete_sweep(noise, landmarks, coefficients).trusted.any()
    still = [pictures[0]] * COUNT
    assert not complete_sweep(still, landmarks, coefficients).trusted.any()


def test_what_is_no_sweep(sweep):
    _, _, pictures, landmarks, coefficients = sweep
    moving = coefficients + np.random.default_rng(0).uniform(0, 0.5, coefficients.shape)
    with pytest.raises(NoSweep, match="not frozen"):
        complete_sweep(pictures, landmarks, moving)
    with pytest.raises(NoSweep, match="hardly seen"):
        complete_sweep(pictures, landmarks * np.nan, coefficients)
    halting = landmarks.copy()
    halting[:14] = landmarks[5]
    halting[5:10] = np.nan
    with pytest.raises(NoSweep, match="lost while the head does not turn"):
        complete_sweep(pictures, halting, coefficients)
