"""Which people are for training and which are kept back, by seed and number alone."""

from itertools import count, islice
from typing import Literal

import numpy as np

Split = Literal["train", "val"]
VAL_SHARE = 0.05


def split_of(seed: int, number: int) -> Split:
    """The part a person belongs to, whatever else is rendered, and on every machine."""
    kept_back = np.random.default_rng([seed, number, 7]).random() < VAL_SHARE
    return "val" if kept_back else "train"


def numbers_of(split: Split, seed: int, first: int, people: int) -> list[int]:
    """The numbers of so many people of a part, from first on."""
    return list(islice((n for n in count(first) if split_of(seed, n) == split), people))
