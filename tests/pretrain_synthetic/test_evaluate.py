"""Tables of the evaluation."""

import json
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from pretrain_synthetic.compare import Score
from pretrain_synthetic.evaluate import (
    TRANSFERRED,
    TURNED,
    EvaluateConfig,
    Scores,
    matrix_table,
    mean_matrices,
    part_lines,
    summary,
)
from pretrain_synthetic.expression_transfer import TransferScore
from pretrain_synthetic.matrix_plot import draw_matrices
from pretrain_synthetic.people import EXPRESSIONS
from pretrain_synthetic.shown import METHODS
from pretrain_synthetic.sitting import YAWS_DEG
from real3d.errors import Real3DError


def _person(psnr: float) -> Scores:
    row = [Score(psnr, 0.9, 3.0, 11.0) for _ in YAWS_DEG]
    return {method: [row] * len(YAWS_DEG) for method in METHODS}


def _mover(kept: float, changed: float) -> Scores:
    """PSNR where the photo's expression is the view's, and elsewhere."""
    count = range(len(EXPRESSIONS))
    rows = [[TransferScore(kept if i == j else changed, 2.5) for j in count] for i in count]
    return dict.fromkeys(METHODS, rows)


def test_means_are_over_people_and_ignore_what_was_not_measured():
    everyone = [_person(20.0), _person(30.0), _person(float("nan"))]
    means = mean_matrices(everyone, TURNED.metrics)
    np.testing.assert_allclose(means["real3d"]["psnr_db"], 25.0)
    line = summary(TURNED, means)[-1]
    assert "PSNR inside the head, dB 25.0" in line
    assert "normals of the face, degrees 11.0" in line
    nothing = mean_matrices([_person(float("nan"))], TURNED.metrics)
    assert np.isnan(nothing["copy"]["psnr_db"]).all()


def test_the_summary_of_yaws_is_of_the_frontal_photo_at_30_degrees():
    values = np.arange(25.0).reshape(5, 5)
    means = {method: {"psnr_db": values} for method in METHODS}
    means = {m: dict.fromkeys(TURNED.metrics, values) for m in means}
    assert f"dB {values[2, [1, 3]].mean():.1f}" in summary(TURNED, means)[0]


def test_the_summary_of_expressions_is_of_those_that_change():
    means = mean_matrices([_mover(50.0, 20.0), _mover(40.0, 22.0)], TRANSFERRED.metrics)
    assert means["warp"]["psnr_db"][3, 3] == 45
    line = summary(TRANSFERRED, means)[1]
    assert line.startswith("- warp, to another expression: PSNR inside the face, dB 21.0")
    assert "landmarks, % of eye distance 2.50" in line
    assert "blendshape" not in line  # the tracker found nobody


def test_a_part_has_a_table_for_each_metric_and_method_that_was_measured():
    text = "\n".join(part_lines(TRANSFERRED, mean_matrices([_mover(1, 2)], TRANSFERRED.metrics)))
    assert text.count("### PSNR inside the face, dB") == text.count("### landmarks") == 3
    assert "### blendshape error" not in text
    assert "| photo: rest | 1.0 | 2.0 | 2.0 | 2.0 | 2.0 | 2.0 |" in text


def test_a_table_and_a_plot_have_a_row_for_each_photo():
    values = np.arange(25.0).reshape(5, 5)
    lines = matrix_table(values, TURNED.names, 1).splitlines()
    assert lines[2] == "| photo: -60 deg | 0.0 | 1.0 | 2.0 | 3.0 | 4.0 |"
    assert len(lines) == 7
    plot = draw_matrices({"a": values, "b": values * np.nan}, TURNED.names, "yaw")
    assert plot.shape[1] == 2 * plot.shape[0]
    assert plot.dtype == np.uint8


def test_colours_tell_views_apart_whatever_the_photo_itself_scores():
    values = np.full((5, 5), 20.0) + np.eye(5) * 40
    values[0, 1:] = 22.0
    plot = draw_matrices({"a": values}, TURNED.names, "yaw")
    at = [plot[86 + 74 * row + 5, 86 + 74 * 2 + 5].astype(int) for row in (0, 1, 2)]
    assert np.abs(at[0] - at[1]).max() > 100
    np.testing.assert_array_equal(at[0], at[2])  # the brightest


def test_both_parts_are_written(tmp_path):
    config = EvaluateConfig(heads=1, out=tmp_path / "out")
    measured = [(TURNED, [_person(20.0)]), (TRANSFERRED, [_mover(40.0, 21.0)])]
    folder = config._write(measured, SimpleNamespace(device="cpu", sha256="0123456789abcdef"))
    text = (folder / "tables.md").read_text()
    assert text.index(f"## {TURNED.title}") < text.index(f"## {TRANSFERRED.title}")
    assert "- weights: 0123456789ab\n- heads: 1, seed 0\n" in text
    found = json.loads((folder / "results.json").read_text())
    assert found["expression"]["names"] == list(EXPRESSIONS)
    assert found["expression"]["heads"][0]["warp"][0][1]["psnr_db"] == 21.0
    assert found["yaw"]["heads"][0]["real3d"][4][4]["normals_deg"] == 11.0
    for name, count in (("plot.png", 4), ("expressions.png", 3)):
        high, wide, _ = cv2.imread(str(folder / name)).shape
        assert wide == count * high


def test_no_heads_are_refused(tmp_path):
    with pytest.raises(Real3DError, match="--heads is 0"):
        EvaluateConfig(heads=0, out=tmp_path).run()
