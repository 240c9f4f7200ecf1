import pytest
import torch

from real3d.networks.audio_to_motion import (
    SPOKEN,
    STEP_SAMPLES,
    AudioConfig,
    build_audio_network,
)

SMALL = AudioConfig(width=16, around=(1, 2), before=(3,))


@pytest.fixture(scope="module")
def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build_audio_network(SMALL).eval()
        for block in network.blocks:
            torch.nn.init.normal_(block.film.weight, std=0.3)
        return network.requires_grad_(False)


def _told(manner=0.0, emotion=0.0):
    return torch.full((1, SMALL.manner), manner), torch.full((1, SMALL.emotions), emotion)


def test_the_default_is_small_and_looks_ahead_less_than_a_third_of_a_second():
    config = AudioConfig()
    network = build_audio_network(config)
    assert sum(p.numel() for p in network.parameters()) < 3e6
    assert config.look_ahead_s <= 0.3


def test_fifty_steps_a_second(network):
    samples = torch.randn(1, 16000)
    assert network.whole(samples, *_told()).shape == (1, 50, len(SPOKEN))
    assert network.whole(samples[:, :100], *_told()).shape == (1, 1, len(SPOKEN))


def test_pieces_give_what_the_whole_gives(network):
    samples = torch.randn(1, 50 * STEP_SAMPLES) * 0.1
    whole = network.whole(samples, *_told())
    left, right = SMALL.left_samples, SMALL.right_samples
    padded = torch.nn.functional.pad(samples, (left, right))
    middle = padded[:, 20 * STEP_SAMPLES : 30 * STEP_SAMPLES + left + right]
    torch.testing.assert_close(network.hear(middle, *_told()), whole[:, 20:30])


def test_it_hears_no_further_than_it_says(network):
    samples = torch.randn(1, 100 * STEP_SAMPLES) * 0.1
    changed = samples.clone()
    first = 40 * STEP_SAMPLES + round(SMALL.look_ahead_s * 16000)
    changed[:, first:] = 0.5
    before, after = (network.whole(s, *_told())[0] for s in (samples, changed))
    torch.testing.assert_close(before[:41], after[:41])
    assert not torch.allclose(before[50:], after[50:])


def test_manner_and_emotion_change_what_is_said(network):
    samples = torch.randn(1, 8000) * 0.1
    plain = network.whole(samples, *_told())
    assert not torch.allclose(plain, network.whole(samples, *_told(manner=1)))
    assert not torch.allclose(plain, network.whole(samples, *_told(emotion=1)))
