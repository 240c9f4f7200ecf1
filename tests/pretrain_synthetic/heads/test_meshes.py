"""Meshes: normals, and a person whose triangles name existing vertices."""

import numpy as np

from pretrain_synthetic.heads.look import sample_look
from pretrain_synthetic.heads.meshes import build_meshes, normals
from pretrain_synthetic.heads.shape import neutral_vertices, sample_identity


def test_normals_of_a_tetrahedron_point_outwards():
    vertex = np.array([[1, 1, 1], [-1, -1, 1], [-1, 1, -1], [1, -1, -1]], float)
    face = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    np.testing.assert_allclose(normals(vertex, face), vertex / np.sqrt(3), atol=1e-9)


def test_a_person_has_all_parts(assets):
    rng = np.random.default_rng(2)
    person = sample_identity(rng, assets)
    look = sample_look(rng, assets, person)
    neutral = neutral_vertices(assets, person)
    meshes = build_meshes(assets, look, neutral, neutral)
    assert {m.label for m in meshes} >= {2, 3, 4, 5, 6}
    for m in meshes:
        assert m.vertex.shape[1] == 9
        assert m.triangle.max() < len(m.vertex)
        assert np.isfinite(m.vertex).all()
