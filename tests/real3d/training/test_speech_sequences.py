import numpy as np
import pytest

from real3d.errors import Real3DError
from real3d.training.speech_sequences import SpokenSequence, read_split


def _sequence(split="train"):
    coefficients = np.linspace(0, 1, 25 * 52).reshape(25, 52).astype(np.float32)
    return SpokenSequence(
        "a", np.zeros(16000, np.float32), np.arange(25) / 25, coefficients, "source", split=split
    )


def test_round_trip(tmp_path):
    written = _sequence()
    read = SpokenSequence.read(written.write(tmp_path / "a.npz"))
    np.testing.assert_allclose(read.coefficients, written.coefficients, atol=1e-3)
    assert (read.source, read.split, read.generated) == ("source", "train", False)
    assert read.seconds == pytest.approx(0.96)


def test_between_known_times_it_is_linear():
    found = _sequence().at(np.array([0.02]))
    np.testing.assert_allclose(found[0], _sequence().coefficients[:2].mean(0), atol=1e-6)


def test_splits_and_other_files(tmp_path):
    _sequence("val").write(tmp_path / "a.npz")
    assert [s.name for s in read_split(tmp_path, "val")] == ["a"]
    assert list(read_split(tmp_path, "train")) == []
    np.savez(tmp_path / "b.npz", x=np.zeros(3))
    with pytest.raises(Real3DError, match="not a sequence of speech"):
        list(read_split(tmp_path, "val"))
    with pytest.raises(Real3DError, match="no such folder"):
        list(read_split(tmp_path / "none", "val"))
