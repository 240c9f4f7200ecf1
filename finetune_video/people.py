"""Who is who: recordings of one person, found by their faces."""

import numpy as np

SAME_PERSON = 0.55
"""Identity cosine (SFace) from which two recordings show one person."""
_ROWS = 2048


def cluster(embeddings: np.ndarray, same: float = SAME_PERSON) -> np.ndarray:
    """(N,) int person of each embedding (N, D) of length 1; persons count from 0 as they appear.

    Single link: whoever resembles somebody of a group belongs to it. Memory grows with N alone.
    """
    count = len(embeddings)
    leader = np.arange(count)

    def find(k: int) -> int:
        while leader[k] != k:
            leader[k] = leader[leader[k]]
            k = leader[k]
        return k

    for start in range(0, count, _ROWS):
        rows = embeddings[start : start + _ROWS]
        for low in range(0, start + len(rows), _ROWS):
            columns = embeddings[low : low + _ROWS]
            for a, b in zip(*np.nonzero(rows @ columns.T >= same), strict=True):
                one, other = find(start + a), find(low + b)
                leader[max(one, other)] = min(one, other)
    roots = np.array([find(k) for k in range(count)], int)
    _, first, person = np.unique(roots, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[person] if count else person
