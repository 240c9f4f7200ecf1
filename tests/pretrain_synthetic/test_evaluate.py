"""Tables of the evaluation, and one photograph of it."""

import numpy as np
import pytest

from pretrain_synthetic.compare import Score
from pretrain_synthetic.evaluate import (
    METHODS,
    YAWS_DEG,
    EvaluateConfig,
    matrix_table,
    mean_matrices,
    photograph,
    portrait_of,
    summary,
)
from pretrain_synthetic.matrix_plot import draw_matrices
from real3d.errors import Real3DError


def _person(psnr: float) -> dict[str, list[list[Score]]]:
    row = [Score(psnr, 0.9, 3.0) for _ in YAWS_DEG]
    return {method: [row] * len(YAWS_DEG) for method in METHODS}


def test_means_are_over_people_and_ignore_what_was_not_measured():
    means = mean_matrices([_person(20.0), _person(30.0), _person(float("nan"))])
    np.testing.assert_allclose(means["real3d"]["psnr_db"], 25.0)
    assert "PSNR inside the head, dB 25.0" in summary(means)[-1]
    nothing = mean_matrices([_person(float("nan"))])
    assert np.isnan(nothing["copy"]["psnr_db"]).all()


def test_a_table_and_a_plot_have_a_row_for_each_photo():
    values = np.arange(25.0).reshape(5, 5)
    lines = matrix_table(values, 1).splitlines()
    assert lines[2] == "| photo at -60° | 0.0 | 1.0 | 2.0 | 3.0 | 4.0 |"
    assert len(lines) == 7
    plot = draw_matrices({"a": values, "b": values * np.nan}, YAWS_DEG)
    assert plot.shape[1] == 2 * plot.shape[0]
    assert plot.dtype == np.uint8


def test_no_heads_are_refused(tmp_path):
    with pytest.raises(Real3DError, match="--heads is 0"):
        EvaluateConfig(heads=0, out=tmp_path).run()


def test_the_head_turns_and_the_chest_stays(bare_studio):
    shots, head_depth = photograph(bare_studio, seed=0, number=1)
    assert 1.5 < head_depth < 3.0
    noses = [
        float(shot.view.landmarks[4, 0] - shot.view.landmarks[:468, 0].mean()) for shot in shots
    ]
    assert np.all(np.diff(noses) > 0.02)  # positive yaw: towards the picture's right
    bottoms = [shot.view.frame.rgb[-3:].astype(float) for shot in shots]
    assert np.abs(bottoms[0] - bottoms[2]).mean() < 12
    photo = portrait_of(shots[2].view)
    assert photo.alpha.max() == 1
    assert photo.landmarks.dtype == np.float32
