"""The whole of `real3d evaluate` with stand-ins for model and instruments."""

import functools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from real3d.cli import main
from real3d.errors import Real3DError
from real3d.evaluation import plots, run
from real3d.evaluation.baseline import Baseline, is_weights
from real3d.evaluation.bench import performed, tasks_of
from real3d.evaluation.environment import Environment
from real3d.evaluation.instruments import Recipe
from real3d.evaluation.manifest import Manifest
from real3d.evaluation.protocol import CROSS, EDITS, ORBITS, SELF, SEVERAL, TITLES, VIEWS, Protocol
from real3d.evaluation.run import Run
from real3d.evaluation.store import Store
from real3d.evaluation.subject import OURS
from real3d.image import read_image, write_image

pytestmark = pytest.mark.usefixtures("no_tracker")
PROTOCOL = Protocol(sizes=(64, 128), every=1, drivers=2, several=1)


@pytest.fixture
def manifest(write_clip, tmp_path) -> Manifest:
    clips = [write_clip("long.mp4", [128] * 70)]
    clips += [write_clip(f"{k}.mp4", [128] * 30 + [0]) for k in range(2)]
    clips.append(write_clip("dark.mp4", [0] * 30))
    stills = [tmp_path / "a.png", tmp_path / "b.png"]
    write_image(stills[0], np.full((512, 512, 3), 128, np.uint8))
    write_image(stills[1], np.zeros((512, 512, 3), np.uint8))
    return Manifest(tuple(clips), tuple(stills), (write_clip("sweep.mp4", [128] * 9),))


@pytest.fixture
def measure(instruments, monkeypatch):
    from real3d.evaluation import metrics

    monkeypatch.setattr(
        metrics, "yaw_deg", lambda found: np.linspace(-60, 60, len(found))
    )  # the sweep turns

    def measured(manifest, out, baseline=None, protocol=PROTOCOL):
        here = Environment.here()
        given = Run(Path("m.jsonl"), out, Recipe(None, "cpu"), protocol)
        return run.measure(
            manifest, given, lambda: instruments, here, "f00d" * 16, 1, baseline, ["- by: us"]
        )

    return measured


def test_report_numbers_sheets_and_plots(manifest, tmp_path, measure):
    out = tmp_path / "report"
    assert measure(manifest, out) == out / "report.md"
    report = (out / "report.md").read_text()
    assert "- by: us" in report
    assert "## Self-reenactment: 3 clips, 127 frames" in report
    assert "2 showed no face" in report
    assert "| **Real3D** |" in report
    assert "| Real3D, median |" in report
    assert "PSNR dB at 128" in report
    assert "## Edits: 1 photos" in report
    assert "## Cross-reenactment: 1 photos, 2 drivers, 2 pairs" in report
    assert report.index("## Worst cases") < report.index("## Self-reenactment")
    assert report.count("no face found") == 2  # the dark clip, and the dark photo once
    for line in report.splitlines():
        assert not line.startswith("|") or line.endswith("|")
    numbers = json.loads((out / "numbers.json").read_text())
    assert len(numbers["clips"]) == 3
    assert numbers["means"][SELF][OURS]["tracked_share"] == 1
    assert set(numbers["medians"][SEVERAL]) == {"1", "2", "4"}
    assert set(TITLES) < set(numbers["seconds"])
    for name in (SELF, CROSS, EDITS, VIEWS, SEVERAL, ORBITS):
        assert f"({name}.jpg)" in report
        assert read_image(out / f"{name}.jpg").shape[1] > 500
    assert (out / "over_time.png").is_file() == plots.can_plot()


def test_a_second_run_measures_nothing(manifest, tmp_path, measure, observer, monkeypatch):
    out = tmp_path / "report"
    measure(manifest, out)
    first, count = json.loads((out / "numbers.json").read_text()), observer.count
    monkeypatch.setattr(plots, "can_plot", lambda: False)
    measure(manifest, out)
    assert observer.count == count
    again = json.loads((out / "numbers.json").read_text())
    for numbers in (first, again):
        numbers.pop("environment"), numbers["seconds"].pop("wall")
    assert again == first
    assert "No plots: matplotlib" in (out / "report.md").read_text()


def test_stills_alone_and_clips_alone(manifest, tmp_path, measure):
    measure(replace(manifest, clips=(), orbits=()), tmp_path / "a")
    measure(replace(manifest, stills=()), tmp_path / "b", protocol=replace(PROTOCOL, clips=1))
    report = (tmp_path / "a" / "report.md").read_text()
    assert "Self-reenactment" not in report
    assert "Cross-reenactment" not in report
    assert "Views" not in (tmp_path / "b" / "report.md").read_text()


def test_further_sheets_are_linked(tmp_path, measure):
    stills = [tmp_path / f"{k}.png" for k in range(6)]
    for path in stills:
        write_image(path, np.full((512, 512, 3), 128, np.uint8))
    one_size = replace(PROTOCOL, sizes=(64,))
    measure(Manifest((), tuple(stills)), tmp_path / "report", protocol=one_size)
    report = (tmp_path / "report" / "report.md").read_text()
    assert "Further sheets: [2](edits_2.jpg)." in report
    assert (tmp_path / "report" / "edits_2.jpg").is_file()


def test_beside_a_baseline(manifest, tmp_path, measure, subject):
    few = replace(PROTOCOL, clips=1, cross_stills=0, several=0)
    subject.share = 0.5
    measure(manifest, tmp_path / "old", protocol=few)
    subject.share, subject.drawn = 1.0, {}
    out = tmp_path / "new"
    measure(manifest, out, Baseline.read(tmp_path / "old"), few)
    report = (out / "report.md").read_text()
    assert "## Beside the baseline: old (f00df00df00d)" in report
    (row,) = (line for line in report.splitlines() if "| jaw open, seen |" in line)
    assert row == "| Edits | jaw open, seen | 0.6 | 0.3 | +0.3 | better |"
    assert "| clip | this, dB | baseline, dB | difference |" in report
    assert "Not the same measurement" not in report
    measure(manifest, out, Baseline.read(tmp_path / "old"), replace(few, clips=2, every=2))
    report = (out / "report.md").read_text()
    assert "**Not the same measurement**: every is 2 here, 1 there; clips: 2 files here" in report


def test_what_is_no_baseline(tmp_path):
    with pytest.raises(Real3DError, match="neither report nor weights"):
        is_weights(tmp_path)
    (tmp_path / "numbers.json").write_text("{}")
    assert not is_weights(tmp_path)
    with pytest.raises(Real3DError, match="not the numbers of a report"):
        Baseline.read(tmp_path)


def test_a_dead_worker_is_a_sentence(manifest, tmp_path):
    tasks, store = tasks_of(manifest, PROTOCOL), Store(tmp_path / "items", "key")
    opening = functools.partial(int, "not a number")  # fails in every worker
    with pytest.raises(Real3DError, match="a worker process died"):
        list(performed(tasks, opening, store, PROTOCOL, workers=2))


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("none.jsonl",), "no such file"),
        ((".", "--clips", "-1"), "--clips -1"),
        ((".", "--cross-stills", "-2"), "--cross-stills -2"),
        ((".", "--every", "0"), "--every 0"),
        ((".", "--sizes", "256", "99"), "--size 99"),
        ((".", "--vgg", "none.safetensors"), "no such file"),
    ],
)
def test_wrong_options_are_one_sentence(tmp_path, capsys, monkeypatch, arguments, found):
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", *arguments, "-o", "out"]) == 2
    complaint = capsys.readouterr().err
    assert found in complaint
    assert len(complaint.splitlines()) == 1
    assert not (tmp_path / "out").exists()
