import numpy as np
import pytest

from pretrain_synthetic.__main__ import main
from pretrain_synthetic.build_template import _thinned, build_template
from real3d.face.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from real3d.face.template import TEMPLATE_FILE, TONGUE


def test_vertices_of_one_cube_become_their_mean():
    points = np.array([[0.1, 0.1, 0.1], [0.3, 0.1, 0.1], [1.1, 0, 0], [0, 1.1, 0], [0.2, 0.2, 1.2]])
    triangles = np.array([[0, 2, 3], [1, 2, 3], [0, 1, 2], [4, 2, 3]])
    average, left = _thinned(points, triangles, cell=1.0)
    assert average.shape == (4, 5)
    np.testing.assert_allclose(average.sum(1), 1)
    merged = average[average[:, 0] > 0][0]
    np.testing.assert_allclose(merged, [0.5, 0.5, 0, 0, 0])
    assert len(left) == 2  # one is flat now, two are the same


@pytest.fixture(scope="module")
def built(assets) -> dict[str, np.ndarray]:
    return build_template(assets)


def test_the_shipped_template_is_built_by_this_but_for_its_calibrated_shapes(built):
    with np.load(TEMPLATE_FILE) as shipped:
        assert set(shipped.files) == set(built)
        for name, array in built.items():
            assert (array.dtype, array.shape) == (shipped[name].dtype, shipped[name].shape), name
            if name != "shapes":
                np.testing.assert_allclose(array, shipped[name], atol=1e-6, err_msg=name)
        moved = np.abs(built["shapes"][:-1].astype(float) - shipped["shapes"][:-1]).max()
        assert 0.01 < moved < 0.15


def test_tongue_out_moves_the_tongue_alone(built):
    move = built["shapes"][ARKIT_INDEX["tongueOut"]].astype(float)
    tongue = built["vertex_layer"] == TONGUE
    assert move[tongue, 2].min() < -0.1  # z points away from the camera
    assert (move[~tongue] == 0).all()
    assert len(built["shapes"]) == len(ARKIT_NAMES) == 52


def test_the_command_writes_the_file(assets, tmp_path, capsys):
    out = tmp_path / "template.npz"
    assert main(["template", "--assets", str(assets.folder), "--out", str(out)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(out)
    with np.load(out) as file:
        assert file["vertices"].dtype == np.float32


def test_no_assets_is_a_user_error(tmp_path, capsys):
    out = tmp_path / "template.npz"
    assert main(["template", "--assets", str(tmp_path), "--out", str(out)]) == 2
    assert "no body.npz" in capsys.readouterr().err
    assert not out.exists()
