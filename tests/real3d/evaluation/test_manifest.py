import json

import pytest

from real3d.errors import Real3DError
from real3d.evaluation.manifest import Manifest, read_manifest


def _write(folder, name, rows):
    (folder / f"{name}.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    (folder / name).mkdir()
    for row in rows:
        (folder / name / row["file"]).touch()


def test_a_folder_gives_its_validation_rows(tmp_path):
    rows = [{"file": f"{k}.mp4", "split": "val" if k % 2 else "train"} for k in range(4)]
    _write(tmp_path, "clips", rows)
    _write(tmp_path, "portraits", [{"file": "a.webp"}])
    _write(tmp_path, "orbits", [{"file": "o.mp4"}, {"file": "p.mp4", "split": "train"}])
    manifest = read_manifest(tmp_path)
    assert [path.name for path in manifest.clips] == ["1.mp4", "3.mp4"]
    assert [path.name for path in manifest.stills] == ["a.webp"]
    assert [path.name for path in manifest.orbits] == ["o.mp4"]


def test_a_file_names_what_lies_beside_it(tmp_path):
    (tmp_path / "me.mp4").touch()
    (tmp_path / "mine.jsonl").write_text('{"file": "me.mp4"}\n\n')
    assert read_manifest(tmp_path / "mine.jsonl").clips == (tmp_path / "me.mp4",)


def test_picked_spreads_evenly(tmp_path):
    manifest = Manifest(tuple(range(10)), tuple(range(4)), (7, 8))
    assert manifest.picked(5, 0, 1) == Manifest((0, 2, 4, 6, 8), (), (7,))
    assert manifest.picked(None, 9) == manifest


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("me.mp4\n", "line 1 is no JSON object"),
        ('["me.mp4"]', "line 1 is no JSON object"),
        ('{"file": "none.mp4"}', "which is not there"),
        ('{"file": "none.mp4", "split": "train"}', "nothing to evaluate"),
    ],
)
def test_wrong_manifests_are_user_errors(tmp_path, text, found):
    (tmp_path / "m.jsonl").write_text(text)
    with pytest.raises(Real3DError, match=found):
        read_manifest(tmp_path / "m.jsonl")


def test_a_folder_without_manifests_is_a_user_error(tmp_path):
    with pytest.raises(Real3DError, match="no manifest found"):
        read_manifest(tmp_path)
