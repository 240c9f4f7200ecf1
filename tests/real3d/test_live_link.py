"""Live Link Face's packets: what was written is read, anything else is refused."""

import struct

import numpy as np
import pytest

from real3d.errors import Real3DError
from real3d.face.blendshapes import ARKIT_INDEX
from real3d.live_link import LiveFrame, read_packet, write_packet


@pytest.fixture
def live():
    coefficients = np.linspace(0, 1, 52, dtype=np.float32)
    return LiveFrame("iPhone von Jürgen", 4711, 60.0, coefficients, np.float32([0.1, -0.2, 0.3]))


def test_a_packet_comes_back(live):
    found = read_packet(write_packet(live))
    assert (found.subject, found.frame, found.fps) == (live.subject, live.frame, live.fps)
    np.testing.assert_array_equal(found.coefficients, live.coefficients)
    np.testing.assert_array_equal(found.rotation, live.rotation)


def test_a_packet_written_by_hand():
    """Byte for byte, from the layout in the module's docstring."""
    numbers = [0.0] * 61
    numbers[ARKIT_INDEX["jawOpen"]], numbers[52] = 0.75, 0.5
    packet = b"\x06" + b"\x00\x00\x00\x24" + b"A" * 36 + b"\x00\x00\x00\x04Face"
    packet += struct.pack(">i", 12) + struct.pack(">f", 0.25) + struct.pack(">ii", 60000, 1001)
    packet += bytes([61]) + struct.pack(">61f", *numbers)
    found = read_packet(packet)
    assert found.coefficients[ARKIT_INDEX["jawOpen"]] == 0.75
    assert found.coefficients.sum() == 0.75
    assert found.rotation.tolist() == [0.5, 0, 0]
    assert found.fps == pytest.approx(59.94, abs=0.01)


def test_no_face_is_none(live):
    assert read_packet(write_packet(live)[: -(1 + 61 * 4)]) is None


@pytest.mark.parametrize("cut", [1, 5, 9, 40, 60])
def test_a_cut_packet_is_refused(live, cut):
    with pytest.raises(Real3DError, match="Live Link Face"):
        read_packet(write_packet(live)[:-cut] if cut < 20 else write_packet(live)[:cut])


@pytest.mark.parametrize(
    "packet", [b"", b"\x05abc", b"\x06\xff\xff\xff\xff", b"\x06" * 2000, b"GET / HTTP/1.1"]
)
def test_other_bytes_are_refused(packet):
    with pytest.raises(Real3DError):
        read_packet(packet)


def test_senseless_numbers_are_refused(live):
    packet = write_packet(live)
    with pytest.raises(Real3DError, match="no sense"):
        read_packet(packet[:-4] + struct.pack("!f", float("nan")))
