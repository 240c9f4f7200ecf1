"""The whole of `prepare`, with a stand-in for what tracks."""

import json
from dataclasses import replace

import numpy as np
import pytest

from finetune_video import prepare as module
from finetune_video.__main__ import main
from finetune_video.harvest import NO_FACE, Harvest
from finetune_video.prepare import PrepareConfig, prepare
from real3d.errors import Real3DError
from real3d.training.shards import Shard, TrackedClip, TrackedFrame, encode_webp


class FakeHarvester:
    """Keeps what is not called dark; counts what it is asked."""

    asked: list[str]

    def __init__(self):
        self.asked = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def harvest(self, source):
        self.asked.append(source.name)
        if source.name.startswith("dark"):
            return Harvest(source, None, NO_FACE)
        picture = np.full((32, 32, 3), 120, np.uint8)
        frame = TrackedFrame(
            encode_webp(picture, 80),
            encode_webp(picture[..., 0], 80),
            np.zeros((478, 3), np.float32),
            np.zeros(52, np.float32),
        )
        person = np.eye(128, dtype=np.float32)[0 if source.name < "c" else 1]
        clip = TrackedClip(source.name, source.kind, [frame] * min(source.frames, 3))
        return Harvest(source, clip, "", 9.0, person)


@pytest.fixture
def harvester(monkeypatch):
    one = FakeHarvester()
    monkeypatch.setattr(module, "_open", lambda settings, identity: one)
    return one


@pytest.fixture
def config(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    for name in ("a.mp4", "b.mp4", "c.mp4", "dark.mp4", "me.jpg"):
        (data / name).touch()
    return PrepareConfig(data, tmp_path / "out", shard_files=2, workers=1)


def test_shards_notes_and_report(config, harvester):
    assert prepare(config) == config.out / "report.md"
    shards = sorted(path.name for path in config.out.glob("*.npz"))
    assert shards == ["clips_000.npz", "clips_001.npz", "portraits_000.npz"]
    shard = Shard.read(config.out / "clips_000.npz")
    assert shard.arrays["name"].tolist() == ["a", "b"]
    assert [len(clip) for clip in shard.clips] == [3, 3]
    report = (config.out / "report.md").read_text()
    assert "4 of 5 files are in 3 shards: 10 frames." in report
    assert f"| {NO_FACE} | 1 | dark |" in report
    assert "| real | 4 | 3 | 9 | 2 | 9.0 |" in report
    people = json.loads((config.out / "people.json").read_text())
    assert people["clips/a"] == people["clips/b"] != people["clips/c"]
    assert (config.out / "sheet.jpg").is_file()


def test_what_is_there_is_kept_and_what_is_missing_is_made(config, harvester):
    prepare(config)
    harvester.asked.clear()
    prepare(config)
    assert harvester.asked == []
    (config.out / "clips_001.npz").unlink()
    (config.out / "portraits_000.json").write_text("{")
    prepare(config)
    assert harvester.asked == ["c", "dark", "me"]


def test_a_set_that_has_grown_makes_its_last_shard_anew(config, harvester):
    prepare(config)
    for name in ("e.mp4", "f.mp4", "z.jpg"):
        (config.data / name).touch()
    harvester.asked.clear()
    prepare(config)
    assert harvester.asked == ["e", "f", "me", "z"]
    assert "7 of 8 files are in 4 shards" in (config.out / "report.md").read_text()


def test_other_files_or_settings_are_refused(config, harvester):
    prepare(config)
    with pytest.raises(Real3DError, match=r"another --clip-px, --quality\. Choose another --out"):
        prepare(replace(config, clip_px=64, quality=50))
    (config.data / "0.mp4").touch()
    with pytest.raises(Real3DError, match="holds other files"):
        prepare(config)


def test_machines_share_the_shards(config, harvester):
    prepare(replace(config, part=1, parts=2))
    assert harvester.asked == ["c", "dark"]
    assert "2 shards are still to be made" in (config.out / "report.md").read_text()
    prepare(replace(config, part=0, parts=2))
    assert harvester.asked[2:] == ["a", "b", "me"]
    assert "still to be made" not in (config.out / "report.md").read_text()


def test_a_set_in_one_piece_stays_what_it_is(config, harvester):
    config.out.mkdir()
    (config.out / "clips.npz").touch()
    prepare(config)
    assert harvester.asked == ["me"]


def test_nothing_usable_is_a_sentence(config, harvester, capsys):
    for path in config.data.iterdir():
        path.rename(path.with_name(f"dark-{path.name}"))
    arguments = ["--data", str(config.data), "--out", str(config.out), "--workers", "1"]
    assert main(["prepare", *arguments]) == 2
    complaint = capsys.readouterr().err
    assert "nothing can be used" in complaint
    assert f"| {NO_FACE} | 5 |" in (config.out / "report.md").read_text()
    assert not list(config.out.glob("*.npz"))


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--data", "none"), "none: no such folder"),
        (("--part", "2", "--parts", "2"), "--part 2: wanted 0 to 1"),
        (("--workers", "0"), "--workers 0: wanted 1 or more"),
        (("--real-frames", "2"), "--real-frames 2: wanted 3 or more"),
    ],
)
def test_wrong_options_are_one_sentence(tmp_path, capsys, monkeypatch, options, found):
    monkeypatch.chdir(tmp_path)
    data = () if "--data" in options else ("--data", ".")
    assert main(["prepare", *data, "--out", "out", *options]) == 2
    complaint = capsys.readouterr().err.strip()
    assert found in complaint
    assert len(complaint.splitlines()) == 1
    assert not (tmp_path / "out").exists()
