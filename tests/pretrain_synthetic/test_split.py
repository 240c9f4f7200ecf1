"""The split: fixed by seed and number, disjoint, one in twenty kept back."""

from pretrain_synthetic.split import numbers_of, split_of


def test_parts_are_disjoint_and_together_everyone():
    train, val = (numbers_of(part, 3, 0, 60) for part in ("train", "val"))
    assert not set(train) & set(val)
    assert set(range(train[-1])) <= set(train) | set(val)


def test_about_one_in_twenty_is_kept_back_and_seeds_differ():
    parts = [[split_of(seed, n) for n in range(2000)] for seed in (0, 1)]
    assert 60 < parts[0].count("val") < 145
    assert parts[0] != parts[1]
    assert parts[0] == [split_of(0, n) for n in range(2000)]


def test_a_set_is_extended_from_a_number():
    assert numbers_of("train", 0, 100, 5)[0] >= 100
