"""The exported mesh, drawn by pyrender, is the same person as the avatar; with the real weights."""

import io
import os
from dataclasses import replace

import numpy as np
import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pyrender():
    os.environ.setdefault("PYOPENGL_PLATFORM", "egl")
    np.infty = np.inf  # pyrender is older than numpy 2
    return pytest.importorskip("pyrender")


def _drawn(pyrender, baked, size=512):
    """(size, size, 3) uint8 of the .glb in the photo's expression, from the front."""
    import trimesh

    from real3d.camera import FOCAL
    from real3d.export.glb import glb_bytes
    from real3d.export.mesh import METRES

    posed = replace(baked.head, positions=baked.head.posed(baked.coefficients), moves=None)
    content = io.BytesIO(glb_bytes(replace(baked, head=posed)))
    loaded = trimesh.load(content, file_type="glb", force="scene")
    scene = pyrender.Scene(bg_color=[0.9, 0.9, 0.9, 1.0], ambient_light=[1.0, 1.0, 1.0])
    for mesh in loaded.geometry.values():
        scene.add(pyrender.Mesh.from_trimesh(mesh, smooth=True))
    x, y, z = (baked.camera.translation[0] * METRES).tolist()
    place = np.eye(4)
    place[:3, 3] = -x, y, z
    camera = pyrender.PerspectiveCamera(2 * np.arctan(1 / FOCAL), 0.5, 5.0, 1.0)
    scene.add(camera, pose=place)
    try:
        renderer = pyrender.OffscreenRenderer(size, size)
    except Exception as error:
        pytest.skip(f"no EGL here: {error}")
    picture, _ = renderer.render(scene, flags=pyrender.RenderFlags.FLAT)
    renderer.delete()
    return np.ascontiguousarray(picture)


def test_the_mesh_is_the_same_person(pyrender, portrait):
    import real3d
    from real3d.errors import Real3DError
    from real3d.evaluation.observer import Observer, load_identity
    from real3d.export.bake import bake

    try:
        identity = load_identity()
    except Real3DError as error:
        pytest.skip(str(error))
    model = real3d.load(device="cpu")
    avatar = real3d.reconstruct(portrait, model)
    front = real3d.redirect(avatar, model, frontal=True)
    mesh = _drawn(pyrender, bake(avatar, model))
    with Observer(identity) as observer:
        seen = [observer.observe(picture).embedding for picture in (front, mesh)]
    assert float(seen[0] @ seen[1]) > 0.7  # 0.95 with the first weights
