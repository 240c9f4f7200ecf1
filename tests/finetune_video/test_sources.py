import json

import pytest

from finetune_video.sources import CLIPS, ORBITS, PORTRAITS, FrameCounts, read_sources
from real3d.errors import Real3DError

COUNTS = FrameCounts(16, 8, 22)


def _manifest(folder, name, *rows):
    (folder / f"{name}.jsonl").write_text("\n".join(json.dumps(row) for row in rows) + "\n\n")


def test_manifests_say_what_a_file_is(tmp_path):
    _manifest(
        tmp_path,
        "clips",
        {"file": "a.mp4", "real": True},
        {"file": "b.mp4", "real": False, "split": "train", "style": None},
        {"file": "c.mp4", "split": "val"},
        {"file": "d.mp4", "style": "painting"},
    )
    _manifest(tmp_path, "portraits", {"file": "a.webp", "tier": "A"}, {"file": "x/a.webp"})
    found = read_sources(tmp_path, "train", COUNTS)
    assert set(found) == {CLIPS, PORTRAITS}
    assert [(s.name, s.kind, s.frames) for s in found[CLIPS]] == [
        ("a", "real", 16),
        ("b", "generated", 8),
        ("d", "real", 16),
    ]
    assert [bool(s.refused) for s in found[CLIPS]] == [False, False, True]
    assert [(s.name, s.kind) for s in found[PORTRAITS]] == [("a", "still-A"), ("x-a", "still-own")]
    assert found[CLIPS][0].path == tmp_path / "clips" / "a.mp4"


def test_files_may_lie_beside_the_manifest(tmp_path):
    (tmp_path / "turn.mp4").touch()
    _manifest(tmp_path, "orbits", {"file": "turn.mp4"})
    (source,) = read_sources(tmp_path, "train", COUNTS)[ORBITS]
    assert (source.path, source.kind, source.frames) == (tmp_path / "turn.mp4", "orbit", 22)


def test_a_plain_folder_needs_no_manifest(tmp_path):
    for name in ("b.mp4", "sub/b.mov", "sub/b.MP4", "me.jpg", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = read_sources(tmp_path, "train", COUNTS)
    assert sorted(s.name for s in found[CLIPS]) == ["b", "sub-b", "sub-b-2"]
    assert [s.kind for s in found[PORTRAITS]] == ["still-own"]
    (one,) = read_sources(tmp_path / "b.mp4", "train", COUNTS)[CLIPS]
    assert one.name == "b"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("me.mp4", "line 1 is no JSON object"),
        ('{"file": 3}', "is no text"),
        ('{"file": "a.mp4", "split": "val"}', 'no manifest there has a row with "split": "train"'),
    ],
)
def test_wrong_manifests_are_user_errors(tmp_path, text, found):
    (tmp_path / "clips.jsonl").write_text(text)
    with pytest.raises(Real3DError, match=found):
        read_sources(tmp_path, "train", COUNTS)


def test_missing_and_empty_folders_are_user_errors(tmp_path):
    with pytest.raises(Real3DError, match="no such folder"):
        read_sources(tmp_path / "none", "train", COUNTS)
    with pytest.raises(Real3DError, match="neither manifests nor videos"):
        read_sources(tmp_path, "train", COUNTS)
