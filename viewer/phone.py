"""Live Link Face on a phone, heard over UDP.

This alone listens on all addresses of the machine, because the phone is another device; it is off
unless asked for, reads nothing but packets of the right layout, and never answers.
"""

import asyncio
from collections.abc import Awaitable, Callable

from real3d.errors import Real3DError
from real3d.live_link import LARGEST_BYTES, LiveFrame, read_packet

Seen = Callable[[LiveFrame], Awaitable[None]]


class _Packets(asyncio.DatagramProtocol):
    """Hands on one face at a time; what comes in between is dropped, so that nothing piles up."""

    def __init__(self, seen: Seen):
        self._seen, self._busy = seen, None

    def datagram_received(self, data: bytes, addr: tuple) -> None:
        if len(data) > LARGEST_BYTES or (self._busy is not None and not self._busy.done()):
            return
        try:
            live = read_packet(data)
        except Real3DError:
            return
        if live is not None:
            self._busy = asyncio.ensure_future(self._seen(live))


async def listen_to_phone(port: int, seen: Seen, host: str = "0.0.0.0") -> asyncio.BaseTransport:
    """Hear packets on a port until the transport is closed.

    Raises Real3DError where the port is taken.
    """
    loop = asyncio.get_running_loop()
    try:
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Packets(seen), local_addr=(host, port)
        )
    except OSError as error:
        raise Real3DError(
            f"UDP port {port}: {error.strerror or error}. Choose another by --phone-port."
        ) from error
    return transport
