import pytest

from real3d.errors import Real3DError
from real3d.files import require_writable, written_beside


def test_success_leaves_only_the_file(tmp_path):
    with written_beside(tmp_path / "deep" / "a.txt") as partial:
        partial.write_text("whole")
        assert partial.suffix == ".txt"
        assert not (tmp_path / "deep" / "a.txt").exists()
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["a.txt"]


@pytest.mark.parametrize("stop", [ValueError, KeyboardInterrupt])
def test_failure_keeps_the_old_file(tmp_path, stop):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(stop), written_beside(tmp_path / "a.txt") as partial:
        partial.write_text("ha")
        raise stop
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_full_disk_is_a_sentence(tmp_path):
    with pytest.raises(Real3DError, match="disk is full"), written_beside(tmp_path / "a.txt"):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_an_output_is_no_input(tmp_path):
    (tmp_path / "a.txt").write_text("mine")
    (tmp_path / "b.txt").symlink_to(tmp_path / "a.txt")
    for path in ("a.txt", "b.txt"):
        with pytest.raises(Real3DError, match="one of the inputs"):
            require_writable(tmp_path / path, None, "white", tmp_path / "a.txt")
    require_writable(tmp_path / "c.txt", tmp_path / "a.txt", "#ffffff")


def test_a_trial_leaves_nothing(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    assert require_writable(tmp_path / "a.txt") == tmp_path / "a.txt"
    require_writable(tmp_path / "b.txt")
    require_writable(tmp_path / "new" / "folder" / "c.txt")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "old")]
    with pytest.raises(Real3DError, match="cannot be written"):
        require_writable(tmp_path / "a.txt" / "b.txt")
    with pytest.raises(Real3DError, match="this is a folder"):
        require_writable(tmp_path)
