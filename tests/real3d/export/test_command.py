"""`real3d export` refuses what it cannot write before anything is computed."""

import pytest

from real3d.cli import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing.jpg"], "no such file"),
        (["me.png", "-o", "head.fbx"], "cannot write this type"),
        (["me.png", "-o", "head.mp4", "--seconds", "0"], "--seconds 0"),
        (["me.png", "-o", "head.mp4", "--size", "3"], "--size 3"),
        (["me.png", "-o", "head.glb"], "not a picture"),
    ],
)
def test_wrong_input_is_a_sentence(capsys, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "me.png").write_text("no picture")
    assert main(["export", *arguments]) == 2
    complaint = capsys.readouterr().err
    assert said in complaint
    assert len(complaint.splitlines()) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["me.png"]
