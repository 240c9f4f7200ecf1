"""The whole of `real3d evaluate` with stand-ins for model and instruments."""

import json

import numpy as np
import pytest

from real3d.cli import main
from real3d.evaluation import run
from real3d.evaluation.environment import Environment
from real3d.evaluation.manifest import Manifest
from real3d.evaluation.report import Protocol
from real3d.evaluation.subject import OURS
from real3d.image import read_image, write_image

pytestmark = pytest.mark.usefixtures("no_tracker")


@pytest.fixture
def manifest(write_clip, tmp_path) -> Manifest:
    clips = [write_clip(f"{k}.mp4", [128] * 8 + [0]) for k in range(3)]
    clips.append(write_clip("dark.mp4", [0] * 30))
    stills = [tmp_path / "a.png", tmp_path / "b.png"]
    write_image(stills[0], np.full((512, 512, 3), 128, np.uint8))
    write_image(stills[1], np.zeros((512, 512, 3), np.uint8))
    return Manifest(tuple(clips), tuple(stills))


def _measure(manifest, out, subject, observer, monkeypatch):
    monkeypatch.setattr(run, "Observer", lambda _: observer)
    here = Environment.here()
    protocol = Protocol(size=64, every=1)
    return run.measure(manifest, out, lambda _: subject, None, protocol, here, "f00d" * 16)


def test_report_numbers_and_sheets(manifest, tmp_path, subject, observer, monkeypatch):
    out = tmp_path / "report"
    assert _measure(manifest, out, subject, observer, monkeypatch) == out / "report.md"
    report = (out / "report.md").read_text()
    assert "- model: f00df00df00d" in report
    assert "## Self-reenactment: 3 clips, 21 frames" in report
    assert "3 showed no face" in report
    assert "| **Real3D** |" in report
    assert "## Edits: 1 photos" in report
    assert report.count("no face found") == 2  # the dark clip, and the dark photo once
    for line in report.splitlines():
        assert not line.startswith("|") or line.endswith("|")
    numbers = json.loads((out / "numbers.json").read_text())
    assert len(numbers["clips"]) == 3
    assert numbers["means"]["self_reenactment"][OURS]["tracked_share"] == 1
    for name in ("self_reenactment", "edits", "views"):
        assert f"({name}.jpg)" in report
        assert read_image(out / f"{name}.jpg").shape[1] > 500


def test_a_second_run_measures_nothing(manifest, tmp_path, subject, observer, monkeypatch):
    out = tmp_path / "report"
    _measure(manifest, out, subject, observer, monkeypatch)
    first, count = (out / "numbers.json").read_text(), observer.count
    _measure(manifest, out, subject, observer, monkeypatch)
    assert observer.count == count
    again = json.loads((out / "numbers.json").read_text())
    assert {**again, "environment": 0} == {**json.loads(first), "environment": 0}


def test_stills_alone_and_clips_alone(manifest, tmp_path, subject, observer, monkeypatch):
    for name, part in (("a", manifest.picked(0, None)), ("b", manifest.picked(1, 0))):
        _measure(part, tmp_path / name, subject, observer, monkeypatch)
    assert "Self-reenactment" not in (tmp_path / "a" / "report.md").read_text()
    assert "Views" not in (tmp_path / "b" / "report.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("none.jsonl",), "no such file"),
        ((".", "--clips", "-1"), "--clips -1"),
        ((".", "--every", "0"), "--every 0"),
        ((".", "--size", "99"), "--size 99"),
    ],
)
def test_wrong_options_are_one_sentence(tmp_path, capsys, monkeypatch, arguments, found):
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", *arguments, "-o", "out"]) == 2
    complaint = capsys.readouterr().err
    assert found in complaint
    assert len(complaint.splitlines()) == 1
    assert not (tmp_path / "out").exists()
