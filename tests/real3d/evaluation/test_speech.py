import numpy as np
import pytest

from real3d.audio import read_audio
from real3d.errors import Real3DError
from real3d.evaluation.bilabials import find_bilabials
from real3d.evaluation.speech import (
    closures,
    correlations,
    evaluate_speech,
    fit_baselines,
    lip_distance_mm,
    loudness,
)
from real3d.face.blendshapes import ARKIT_INDEX
from real3d.samples import SPEECH
from real3d.training.speech_sequences import SpokenSequence


def test_a_shifted_mouth_correlates_best_at_its_lag():
    opening = np.convolve(np.random.default_rng(0).standard_normal(400), np.ones(5), "same")
    curve = correlations(opening[3:], opening[:-3])  # true(t + 3) is made(t)
    assert int(np.argmax(curve)) == 10 + 3
    assert max(curve) == pytest.approx(1)
    assert correlations(np.zeros(50), opening[:50]) == [0.0] * 21


def test_lip_distance():
    rest, open_ = np.zeros((3, 52), np.float32), np.zeros((3, 52), np.float32)
    open_[:, ARKIT_INDEX["jawOpen"]] = 0.2
    assert lip_distance_mm(rest, rest) == 0
    assert lip_distance_mm(open_, rest) == pytest.approx(lip_distance_mm(rest, open_))
    assert 1 < lip_distance_mm(open_, rest) < 10


def test_closures_count_where_the_truth_closes():
    true = np.full(200, 10.0)
    for middle in (20, 51, 101, 180):
        true[middle - 2 : middle + 3] = 0
    moments = [(1.0, 1.06), (2.0, 2.06), (3.0, 3.06)]
    assert closures(true, true, moments) == (2, 2, 3)
    made = true.copy()
    made[98:106] = 10
    assert closures(made, true, moments) == (2, 1, 3)


def test_loudness_is_a_share():
    samples = np.concatenate([np.zeros(16000), 0.5 * np.ones(16000)]).astype(np.float32)
    share = loudness(samples, 100)
    assert share[:40].max() < 0.05
    assert share[60:].min() > 0.95


def test_bilabials_of_the_sample():
    pytest.importorskip("pocketsphinx")
    found = find_bilabials(read_audio(SPEECH))
    assert all(0 <= start < end <= 4.7 for start, end in found)
    assert len(found) >= 1  # photo begins with f; my, moves and lips hold m and p


def test_without_pocketsphinx_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pocketsphinx", None)
    with pytest.raises(Real3DError, match=r"real3d\[speech\]"):
        find_bilabials(np.zeros(16000, np.float32))


def test_the_report_has_all_methods(tmp_path):
    samples = read_audio(SPEECH)
    times_s = np.arange(110) / 25
    coefficients = np.zeros((110, 52), np.float32)
    coefficients[:, ARKIT_INDEX["jawOpen"]] = 0.3 * loudness(samples, 220)[::2]
    sequence = SpokenSequence("a", samples, times_s, coefficients, "home", split="val")
    gain, mean_row = fit_baselines([sequence])
    assert gain == pytest.approx(0.3, abs=0.02)
    text = evaluate_speech([sequence], tmp_path, gain, mean_row).read_text()
    for wanted in ("mean motion", "loudness → jaw", "Real3D", "in sync", "- commit:"):
        assert wanted in text
