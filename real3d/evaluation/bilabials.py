"""When lips must meet: p, b and m in English speech, found by a packaged recogniser."""

import numpy as np

from real3d.audio import RATE_HZ
from real3d.errors import Real3DError

_BILABIALS = ("P", "B", "M")
_FRAME_S = 0.01
_NAME = "sound_{}"
"""A sound as a word of its own: words can be aligned, sounds inside of them are not offered."""


def find_bilabials(samples: np.ndarray) -> list[tuple[float, float]]:
    """(start, end) seconds of each p, b or m in speech (N,) at 16 kHz.

    pocketsphinx's English model recognises words, whose sounds are then aligned to the speech;
    words that were misheard put some of them wrong. Nothing recognised gives an empty list.

    Raises Real3DError without pocketsphinx.
    """
    try:
        from pocketsphinx import Decoder
    except ImportError as error:
        raise Real3DError(
            'evaluate-audio needs pocketsphinx. Run: pip install "real3d[speech]"'
        ) from error
    loudest = max(float(np.abs(samples).max(initial=0)), 1e-6)
    content = (samples / loudest * 0.7 * 32767).astype(np.int16).tobytes()
    listener = Decoder(samprate=RATE_HZ, loglevel="FATAL")
    sounds = []
    for word, _, _ in _decoded(listener, content):
        pronounced = None if word.startswith(("<", "[")) else listener.lookup_word(word)
        sounds += pronounced.split() if pronounced else []
    if not sounds:
        return []
    aligner = Decoder(lm=None, samprate=RATE_HZ, loglevel="FATAL")
    for sound in sorted(set(sounds)):
        aligner.add_word(_NAME.format(sound.lower()), sound, True)
    aligner.set_align_text(" ".join(_NAME.format(sound.lower()) for sound in sounds))
    wanted = {_NAME.format(sound.lower()) for sound in _BILABIALS}
    return [
        (first * _FRAME_S, (last + 1) * _FRAME_S)
        for word, first, last in _decoded(aligner, content)
        if word in wanted
    ]


def _decoded(decoder: object, content: bytes) -> list[tuple[str, int, int]]:
    """Words with their first and last frames; none where nothing fits."""
    decoder.start_utt()
    decoder.process_raw(content, full_utt=True)
    decoder.end_utt()
    return [(s.word, s.start_frame, s.end_frame) for s in decoder.seg() or ()]
