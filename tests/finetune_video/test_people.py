import numpy as np
import pytest

from finetune_video import people
from finetune_video.people import cluster


def _at(*degrees: float) -> np.ndarray:
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32)


def test_a_chain_of_likeness_is_one_person():
    assert cluster(_at(0, 180, 50, 100, 185)).tolist() == [0, 1, 0, 0, 1]


def test_persons_count_as_they_appear_and_nobody_is_nobody():
    assert cluster(_at(170, 0, 90)).tolist() == [0, 1, 2]
    assert cluster(np.zeros((0, 2), np.float32)).tolist() == []


@pytest.mark.parametrize("rows", [1, 3])
def test_blocks_do_not_matter(monkeypatch, rows):
    embeddings = _at(*np.random.default_rng(0).uniform(0, 360, 10))
    whole = cluster(embeddings, 0.9)
    monkeypatch.setattr(people, "_ROWS", rows)
    assert cluster(embeddings, 0.9).tolist() == whole.tolist()
