"""Packets of the phone app Live Link Face: 52 coefficients and a head's rotation over UDP.

A packet, all numbers big-endian but for the first:

    uint8           version, 6
    uint32          length of the device's identifier, then so many bytes of text
    uint32          length of the subject's name, then so many bytes of text
    int32, float32  frame number and subframe
    int32, int32    frames a second as numerator and denominator
    uint8           how many numbers follow, 61
    float32 × 61    the 52 coefficients in our order, head yaw, pitch, roll, and of either eye
                    yaw, pitch, roll; radians

Packets without the last two lines say that no face is seen. The layout is that of the app's version
6 as open receivers read it; no phone was at hand to check it.
"""

import struct
from dataclasses import dataclass

import numpy as np

from real3d.errors import Real3DError
from real3d.face.blendshapes import ARKIT_NAMES

PORT = 11111
"""Where the app sends to unless it is told otherwise."""
LARGEST_BYTES = 1024
_VERSION = 6
_NUMBERS = 61
_LONGEST_NAME = 256


@dataclass(frozen=True)
class LiveFrame:
    """One moment of a face in front of a phone."""

    subject: str
    """The name that the app gives its user."""
    frame: int
    fps: float
    coefficients: np.ndarray
    """(52,) float32, order of ARKIT_NAMES."""
    rotation: np.ndarray
    """(3,) float32 radians: yaw, pitch, roll as the app has them."""


def read_packet(packet: bytes) -> LiveFrame | None:
    """The face in a packet; None where the phone sees none.

    Raises Real3DError for anything else than such a packet.
    """
    try:
        return _read(packet)
    except (struct.error, UnicodeDecodeError) as error:
        raise Real3DError("not a whole packet of Live Link Face.") from error


def _read(packet: bytes) -> LiveFrame | None:
    if len(packet) > LARGEST_BYTES or packet[:1] != bytes([_VERSION]):
        raise Real3DError("not a packet of Live Link Face, version 6.")
    _, place = _text(packet, 1)
    subject, place = _text(packet, place)
    frame, _, numerator, denominator = struct.unpack_from("!ifii", packet, place)
    place += 16
    if len(packet) == place:
        return None
    (count,) = struct.unpack_from("!B", packet, place)
    if count != _NUMBERS:
        raise Real3DError(f"a packet of Live Link Face with {count} numbers; wanted {_NUMBERS}.")
    numbers = np.array(struct.unpack_from(f"!{_NUMBERS}f", packet, place + 1), np.float32)
    if not np.isfinite(numbers).all() or np.abs(numbers).max() > 100:
        raise Real3DError("a packet of Live Link Face with numbers that make no sense.")
    fps = numerator / denominator if denominator > 0 and numerator > 0 else 60.0
    known = len(ARKIT_NAMES)
    return LiveFrame(subject, frame, fps, numbers[:known].clip(0, 1), numbers[known : known + 3])


def _text(packet: bytes, place: int) -> tuple[str, int]:
    """A text with its length before it, and where the next field begins."""
    (length,) = struct.unpack_from("!I", packet, place)
    if length > _LONGEST_NAME:
        raise Real3DError("not a packet of Live Link Face: a name is too long.")
    end = place + 4 + length
    return packet[place + 4 : end].decode("utf-8"), end


def write_packet(live: LiveFrame, device: str = "real3d") -> bytes:
    """The packet of a face, eye angles zero: for tests and for senders that are no phone."""
    parts = [bytes([_VERSION])]
    for text in (device, live.subject):
        encoded = text.encode()
        parts.append(struct.pack("!I", len(encoded)) + encoded)
    parts.append(struct.pack("!ifii", live.frame, 0.0, round(live.fps), 1))
    numbers = [*live.coefficients, *live.rotation, *[0.0] * 6]
    return b"".join([*parts, struct.pack(f"!B{_NUMBERS}f", _NUMBERS, *numbers)])
