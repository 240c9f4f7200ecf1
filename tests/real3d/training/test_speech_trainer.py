"""Sequences whose jaw follows their loudness: what a network learns from them can be told."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from real3d.audio_weights import load_audio_weights
from real3d.errors import Real3DError
from real3d.face.blendshapes import ARKIT_INDEX
from real3d.networks.audio_to_motion import AudioConfig
from real3d.networks.log_mel import BANDS
from real3d.training.phones import UNKNOWN
from real3d.training.speech_bank import (
    Augmentation,
    SpeechSampler,
    augmented_mel,
    heard_again,
    power_of,
    read_sequences,
    standardise,
)
from real3d.training.speech_sequences import SpokenSequence
from real3d.training.speech_trainer import SpeechTrainConfig, SpeechTrainer, _apart, train_speech

SMALL = AudioConfig(width=16, around=(1, 2), before=(2,))


def _spoken(number, split, late_s=0.0):
    """Three seconds of noise that comes and goes, and a jaw that follows late_s later."""
    rng = np.random.default_rng(number)
    knots = rng.uniform(0, 1, 16)
    times_s = np.arange(48000) / 16000
    loud = np.interp(times_s, np.linspace(0, 3, 16), knots)
    frames_s = np.arange(75) / 25
    coefficients = np.zeros((75, 52), np.float32)
    jaw = np.interp(frames_s - late_s, np.linspace(0, 3, 16), knots)
    coefficients[:, ARKIT_INDEX["jawOpen"]] = 0.5 * jaw
    samples = (rng.standard_normal(48000) * 10 ** (1.5 * (loud - 1)) * 0.2).astype(np.float32)
    return SpokenSequence(
        f"{split}{number}", samples, frames_s, coefficients, "home", f"{split}{number}", split=split
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sequences")
    for number in range(6):
        sequence = _spoken(number, "val" if number > 3 else "train")
        sequence.write(folder / f"{sequence.name}.npz")
    return folder


@pytest.fixture
def sampler(folder):
    sequences = read_sequences(folder)
    standardise(sequences)
    return SpeechSampler(sequences, SMALL)


def test_windows_have_the_networks_shape(sampler):
    batch = sampler.draw(3, 20)
    frames = SMALL.left_frames + 40 + SMALL.right_frames
    assert batch.mel.shape == (3, BANDS, frames)
    assert batch.target.shape == (3, 20, 41)
    assert batch.inside.shape == (3, 20)
    assert torch.isfinite(batch.mel).all()


def test_sounds_stay_with_the_speech(folder):
    (sequence, *_) = read_sequences(folder)
    assert (sequence.sounds(np.array([0.5])) == UNKNOWN).all()
    sequence.phones = np.repeat(np.arange(3, dtype=np.uint8), 100)
    heard = sequence.sounds(np.array([-0.1, 0.5, 1.995, 2.5, 3.5]))
    assert heard.tolist() == [UNKNOWN, 0, 1, 2, UNKNOWN]


def test_who_is_held_out_under_another_name_is_found(folder):
    train, held_out = read_sequences(folder), read_sequences(folder, "val")
    assert heard_again(held_out, train) == set()
    again = replace(held_out[0], power_db=held_out[0].power_db[5:] - 3, speaker="another")
    assert heard_again(held_out, [*train, again]) == {"another"}


def test_a_seed_decides_the_windows(folder):
    sequences = read_sequences(folder)
    first, again, other = (SpeechSampler(sequences, SMALL, seed).draw(2, 20) for seed in (1, 1, 2))
    assert torch.equal(first.mel, again.mel)
    assert not torch.equal(first.mel, other.mel)


def test_manners_are_standard_and_faces_count_from_their_median(folder):
    sequences = read_sequences(folder)
    standardise(sequences)
    manners = np.stack([s.manner for s in sequences])
    assert np.abs(manners[:, 0].mean()) < 0.1
    assert manners[:, 0].std() == pytest.approx(1, abs=0.1)


def test_without_augmentation_the_mel_is_the_plain_one():
    plain = Augmentation(0, 0, (0, 0), 0, 0, (5, 40), 0, (0.2, 0.3), 0, 0, 0)
    power = power_of(np.random.default_rng(0).standard_normal(4800).astype(np.float32) * 0.1)
    db = torch.from_numpy(10 * np.log10(power + 1e-10))[None]
    one, two = (augmented_mel(db, plain, np.random.default_rng(seed)) for seed in (0, 1))
    torch.testing.assert_close(one, two)
    rough = augmented_mel(db, Augmentation(noise_share=1, reverb_share=1), np.random.default_rng(0))
    assert not torch.allclose(one, rough, atol=0.1)


def test_curves_that_move_alike_are_not_apart():
    true = torch.sin(torch.arange(60) / 5)[None]
    inside = torch.ones(1, 60)
    assert _apart(0.2 * true + 3, true, inside) == pytest.approx(0, abs=2e-2)
    assert _apart(-true, true, inside) == pytest.approx(2, abs=2e-2)
    assert _apart(true, 0 * true, inside) == 0  # a mouth at rest has no timing


def test_it_learns_to_follow(folder, tmp_path):
    config = SpeechTrainConfig(
        folder, tmp_path, seconds=600, max_steps=40, batch=8, steps=40, learning_rate=1e-2,
        align_at=(), log_every=10, validate_every=40, network=SMALL, ema=0.8,
    )  # fmt: skip
    weights = train_speech(config)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert rows[-1]["timing"] < rows[0]["timing"]
    assert rows[-1]["held_out"] > 0.5
    assert load_audio_weights(weights).config == SMALL


def test_late_faces_are_found_and_trusted(tmp_path):
    for number in range(8):
        sequence = _spoken(number, "val" if number > 5 else "train", 0.08 if number < 2 else 0)
        source = "late" if number < 2 else "home"
        SpokenSequence(**{**vars(sequence), "source": source}).write(tmp_path / f"{number}.npz")
    config = SpeechTrainConfig(
        tmp_path, tmp_path / "out", seconds=600, max_steps=30, batch=8, steps=40,
        learning_rate=1e-2, align_at=(), log_every=50, validate_every=99, network=SMALL, ema=0.8,
    )  # fmt: skip
    trainer = SpeechTrainer(config)
    trainer.run()
    wide = trainer.train
    for sequence in wide:
        sequence.source = sequence.source or "home"
    curves = {s.speaker: trainer.lagged(s).argmax() for s in wide}
    late = np.mean([curves[s.speaker] for s in wide if s.source == "late"])
    home = np.mean([curves[s.speaker] for s in wide if s.source == "home"])
    assert (late - home) * 0.02 == pytest.approx(0.08, abs=0.045)


def test_no_sequences(tmp_path):
    with pytest.raises(Real3DError, match="no sequences of split 'train'"):
        read_sequences(tmp_path)
