"""When lips must meet: p, b and m in English speech, found by a packaged recogniser."""

import numpy as np

from real3d.audio import RATE_HZ
from real3d.errors import Real3DError

_BILABIALS = ("P", "B", "M")
_FRAME_S = 0.01


def find_bilabials(samples: np.ndarray) -> list[tuple[float, float]]:
    """(start, end) seconds of each p, b or m in speech (N,) at 16 kHz.

    Words are recognised with pocketsphinx's English model, then aligned sound by sound; words that
    were misheard put some of them wrong. Nothing recognised gives an empty list.

    Raises Real3DError without pocketsphinx.
    """
    try:
        from pocketsphinx import Decoder
    except ImportError as error:
        raise Real3DError(
            'evaluate-audio needs pocketsphinx. Run: pip install "real3d[speech]"'
        ) from error
    loudest = max(float(np.abs(samples).max()), 1e-6)
    content = (samples / loudest * 0.7 * 32767).astype(np.int16).tobytes()
    decoder = Decoder(samprate=RATE_HZ, loglevel="FATAL")
    words = _decoded(decoder, content)
    if not words:
        return []
    try:
        decoder.set_align_text(words)
        _decoded(decoder, content)
        decoder.set_alignment()
        _decoded(decoder, content)
        alignment = decoder.get_alignment()
    except RuntimeError:  # the words do not fit the sound after all
        return []
    sounds = [sound for word in alignment or () for sound in word]
    return [
        (sound.start * _FRAME_S, (sound.start + sound.duration) * _FRAME_S)
        for sound in sounds
        if sound.name.split("_")[0] in _BILABIALS
    ]


def _decoded(decoder: object, content: bytes) -> str:
    decoder.start_utt()
    decoder.process_raw(content, full_utt=True)
    decoder.end_utt()
    found = decoder.hyp()
    return found.hypstr if found else ""
