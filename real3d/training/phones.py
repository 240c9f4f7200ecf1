"""The sounds of speech, as a packaged recogniser hears them: something more to learn from.

A network that also has to say which sound it hears learns from the many voices the recogniser knew.
Its sounds are those of English; in other languages it names the nearest.
"""

from pathlib import Path

import numpy as np

from real3d.audio import RATE_HZ
from real3d.errors import Real3DError

PHONES: tuple[str, ...] = (
    *("SIL", "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F"),
    *("G", "HH", "IH", "IY", "JH", "K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH"),
    *("T", "TH", "UH", "UW", "V", "W", "Y", "Z", "ZH"),
)
BILABIALS: tuple[int, ...] = tuple(PHONES.index(phone) for phone in ("P", "B", "M"))
UNKNOWN = 255
PHONES_PER_S = 100


def find_phones(samples: np.ndarray) -> np.ndarray:
    """(T,) uint8 every 10 ms: numbers of PHONES in speech (N,) at 16 kHz, by pocketsphinx.

    Raises Real3DError without pocketsphinx.
    """
    try:
        from pocketsphinx import Decoder, get_model_path
    except ImportError as error:
        raise Real3DError(
            'Sounds are found by pocketsphinx. Run: pip install "real3d[speech]"'
        ) from error
    model = Path(get_model_path()) / "en-us"
    listener = Decoder(
        hmm=str(model / "en-us"), allphone=str(model / "en-us-phone.lm.bin"), lm=None, dict=None,
        samprate=RATE_HZ, lw=2.0, beam=1e-10, pbeam=1e-10, loglevel="FATAL",
    )  # fmt: skip
    loudest = max(float(np.abs(samples).max(initial=0)), 1e-6)
    listener.start_utt()
    listener.process_raw(
        (samples / loudest * 0.7 * 32767).astype(np.int16).tobytes(), full_utt=True
    )
    listener.end_utt()
    found = np.zeros(len(samples) * PHONES_PER_S // RATE_HZ, np.uint8)
    for sound in listener.seg() or ():
        if sound.word in PHONES:
            found[sound.start_frame : sound.end_frame + 1] = PHONES.index(sound.word)
    return found
