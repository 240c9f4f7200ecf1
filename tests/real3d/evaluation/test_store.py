import json
import math
from dataclasses import dataclass

import numpy as np
import pytest

from real3d.errors import Real3DError
from real3d.evaluation.store import Store, code_digest


@dataclass(frozen=True)
class Result:
    name: str
    score: float


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "me.v1.png"
    path.write_bytes(b"1")
    return path


class Measuring:
    """Counts how often it is asked."""

    def __init__(self, score=0.5, error=None):
        self.count, self.score, self.error = 0, score, error

    def __call__(self):
        self.count += 1
        if self.error:
            raise Real3DError(self.error)
        return Result("me", self.score), [[np.full((4, 4, 3), 99, np.uint8)] * 2]


def test_a_finished_item_is_not_measured_again(tmp_path, photo):
    job = Measuring(score=math.nan)
    for _ in range(2):
        store = Store(tmp_path / "items", "key")
        found = store.measured("edits", photo, Result, job)
        assert found.result.name == "me"
        assert math.isnan(found.result.score)
        assert found.seconds >= 0
    assert job.count == 1
    assert store.picture("edits", photo).shape == (4, 8, 3)
    (kept,) = (tmp_path / "items").glob("*.json")
    assert json.loads(kept.read_text())["result"]["score"] is None


def test_another_key_file_or_kind_is_measured_anew(tmp_path, photo):
    job = Measuring()
    Store(tmp_path / "items", "key").measured("edits", photo, Result, job)
    Store(tmp_path / "items", "key").measured("views", photo, Result, job)
    Store(tmp_path / "items", "another").measured("edits", photo, Result, job)
    photo.write_bytes(b"22")
    Store(tmp_path / "items", "another").measured("edits", photo, Result, job)
    assert job.count == 4


def test_what_else_the_numbers_depend_on(tmp_path, photo):
    job, other = Measuring(), tmp_path / "driver.mp4"
    other.write_bytes(b"1")

    def measure(setting):
        Store(tmp_path / "items", "key").measured("edits", photo, Result, job, [other, setting])

    for setting in (1, 1, 2, 2):
        measure(setting)
    assert job.count == 2
    other.write_bytes(b"22")
    measure(2)
    assert job.count == 3


def test_damage_is_measured_anew(tmp_path, photo):
    job, store = Measuring(), Store(tmp_path / "items", "key")
    store.measured("edits", photo, Result, job)
    next((tmp_path / "items").glob("*.jpg")).unlink()
    store.measured("edits", photo, Result, job)
    next((tmp_path / "items").glob("*.json")).write_text("{")
    assert store.measured("edits", photo, Result, job).result == Result("me", 0.5)
    assert job.count == 3


def test_a_refusal_is_kept_as_well(tmp_path, photo):
    job, store = Measuring(error="me.png: no face found."), Store(tmp_path / "items", "key")
    for _ in range(2):
        item = store.measured("edits", photo, Result, job)
        assert (item.result, item.refused) == (None, "me.png: no face found.")
    assert job.count == 1


def test_code_digest_is_stable():
    assert code_digest() == code_digest()
