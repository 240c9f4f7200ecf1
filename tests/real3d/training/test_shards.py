import numpy as np

from real3d.training.shards import Shard


def test_the_clips_of_some_kinds(data):
    """Their frames are what they were, pictures and numbers; the others are gone."""
    whole = Shard.read(data / "clips.npz")
    some = whole.only(["generated"])
    (own,) = np.flatnonzero(whole.arrays["kind"] == "generated")
    frames = whole.clips[own]
    assert some.arrays["name"].tolist() == [whole.arrays["name"][own]]
    assert some.clips == [range(len(frames))]
    for there, here in enumerate(frames):
        for field in ("image", "alpha"):
            assert np.array_equal(some.decode(field, there), whole.decode(field, here))
    for name in ("landmarks", "coefficients"):
        assert np.array_equal(some.arrays[name], whole.arrays[name][frames.start : frames.stop])


def test_labels_of_synthetic_people_stay(data):
    whole = Shard.read(data / "synthetic_000.npz")
    some = whole.only(["synthetic"])
    assert {name: a.tolist() for name, a in some.arrays.items()} == {
        name: a.tolist() for name, a in whole.arrays.items()
    }
    assert not len(whole.only(["real"]))
