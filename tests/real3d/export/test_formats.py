"""Files of a head: read again by somebody else's reader, complete or not there."""

import numpy as np
import pytest
import torch
import trimesh

from real3d.errors import Real3DError
from real3d.export.formats import SUFFIXES, write_head
from real3d.export.glb import glb_bytes, glb_parts
from real3d.export.mesh import METRES
from real3d.export.splats import splat_rows
from real3d.face.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from real3d.video import VideoReader


def test_glb_has_52_named_targets_and_the_photos_weights(baked):
    gltf, binary = glb_parts(glb_bytes(baked))
    head = gltf["meshes"][0]
    assert head["extras"]["targetNames"] == list(ARKIT_NAMES)
    assert head["weights"] == pytest.approx(baked.coefficients.tolist(), abs=1e-4)
    targets = head["primitives"][0]["targets"]
    assert len(targets) == 52
    accessor = gltf["accessors"][targets[ARKIT_INDEX["jawOpen"]]["POSITION"]]
    view = gltf["bufferViews"][accessor["bufferView"]]
    assert view["byteOffset"] % 4 == 0
    content = binary[view["byteOffset"] :][: view["byteLength"]]
    move = content.view("<f4").reshape(accessor["count"], 3)
    wanted = baked.head.moves[ARKIT_INDEX["jawOpen"]].numpy() * METRES * [1, -1, -1]
    np.testing.assert_allclose(move, wanted, atol=1e-7)
    assert gltf["buffers"][0]["byteLength"] == len(binary)


def test_trimesh_reads_glb_and_obj_alike(baked, tmp_path):
    neutral = baked.expressed(torch.zeros(52))
    sizes = []
    for name in ("a.glb", "a.obj"):
        write_head(neutral, tmp_path / name)
        scene = trimesh.load(tmp_path / name, force="scene")
        assert len(scene.geometry) == len(baked.parts)
        sizes.append(scene.extents)
        head = max(scene.geometry.values(), key=lambda mesh: len(mesh.faces))
        assert head.visual.uv is not None
    np.testing.assert_allclose(sizes[0], sizes[1], atol=1e-4)
    assert 0.15 < sizes[0][1] < 0.4  # metres
    assert {p.suffix for p in tmp_path.iterdir()} == {".glb", ".obj", ".mtl", ".png"}


def test_splats_are_flat_on_the_surface(baked, tmp_path):
    write_head(baked, tmp_path / "a.ply")
    cloud = trimesh.load(tmp_path / "a.ply")
    rows = splat_rows(baked)
    assert len(cloud.vertices) == len(rows)
    np.testing.assert_allclose(cloud.vertices[:100], rows[:100, :3], atol=1e-5)
    header = (tmp_path / "a.ply").read_bytes()[:3000].split(b"end_header")[0].decode()
    for name in ("f_dc_2", "f_rest_44", "opacity", "scale_2", "rot_3"):
        assert f"property float {name}\n" in header
    normal, (w, x, y, z) = rows[:, 3:6], rows[:, 58:].T
    turned = np.stack([2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)], 1)
    np.testing.assert_allclose(turned, normal, atol=0.02)
    assert (rows[:, 57] < rows[:, 56] - 1).all()  # thin across
    colours = rows[:, 6:9] * 0.28209479177387814 + 0.5
    assert colours.min() > -1e-5
    assert colours.max() < 1 + 1e-5


def test_one_seed_one_cloud(baked):
    np.testing.assert_array_equal(splat_rows(baked, 500, 3), splat_rows(baked, 500, 3))
    assert not np.array_equal(splat_rows(baked, 500, 3)[:50], splat_rows(baked, 500, 4)[:50])


def test_the_page_needs_nothing_else(baked, tmp_path):
    text = write_head(baked, tmp_path / "a.html").read_text()
    assert "{{" not in text.replace("${{", "")
    assert "http" not in text
    assert "src=" not in text


def test_a_turntable_is_one_whole_turn(baked, tmp_path):
    write_head(baked, tmp_path / "a.mp4", seconds=0.5, fps=8, size=64)
    with VideoReader(tmp_path / "a.mp4") as video:
        frames = [frame for _, frame in video]
    assert len(frames) == 4
    assert np.abs(frames[0].astype(int) - frames[2]).mean() > 5


def test_other_endings_are_refused(baked, tmp_path):
    with pytest.raises(Real3DError, match=r"\.glb, \.obj, \.ply, \.html or \.mp4"):
        write_head(baked, tmp_path / "a.fbx")
    assert list(tmp_path.iterdir()) == []
    assert len(SUFFIXES) == 5
