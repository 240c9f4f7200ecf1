from finetune_video.__main__ import main


def test_wrong_input_is_a_sentence(capsys, tmp_path):
    code = main(["smoke", "--data", str(tmp_path), "--out", str(tmp_path / "out")])
    complaint = capsys.readouterr().err.strip()
    assert code == 2
    assert complaint.startswith(f"finetune_video: {tmp_path}: no shards")
    assert len(complaint.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
