import numpy as np
import pytest
from safetensors.torch import save_file
from skimage import data

from real3d.errors import Real3DError
from real3d.evaluation.observer import Observer, load_identity, reduced
from real3d.training.perceptual import SFace


def test_a_face_is_seen_at_any_size_and_a_wall_shows_nobody():
    photo = np.ascontiguousarray(data.astronaut()[:300, 80:380])
    with Observer(SFace()) as observer:
        whole, half = observer.observe(photo), observer.observe(reduced(photo, 256))
        wall = observer.observe(np.full((128, 128, 3), 90, np.uint8))
        known = observer.observe(np.full((128, 128, 3), 90, np.uint8), whole.landmarks)
    np.testing.assert_array_equal(whole.landmarks, half.landmarks)
    assert whole.landmarks.shape == (478, 3)
    assert whole.landmarks[10, 1] < whole.landmarks[152, 1]  # forehead above chin
    assert np.linalg.norm(whole.embedding) == pytest.approx(1, abs=1e-5)
    assert whole.seen
    assert not wall.seen
    assert np.isnan(wall.embedding).all()
    assert np.isfinite(known.embedding).all()


def test_identity_from_a_file(tmp_path):
    network = SFace()
    save_file(network.state_dict(), str(tmp_path / "sface.safetensors"))
    loaded = load_identity(tmp_path / "sface.safetensors")
    assert loaded.project.weight.equal(network.project.weight)
    with pytest.raises(Real3DError, match="no such identity model"):
        load_identity(tmp_path / "none.onnx")


def test_a_text_is_no_onnx_file(tmp_path):
    pytest.importorskip("onnx")
    (tmp_path / "letter.onnx").write_text("Dear Sir or Madam")
    with pytest.raises(Real3DError, match="not an ONNX file"):
        load_identity(tmp_path / "letter.onnx")


def test_without_the_package_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(Real3DError, match="real3d\\[evaluate\\]"):
        load_identity()
