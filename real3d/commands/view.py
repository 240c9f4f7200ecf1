"""`real3d view`: the page on which a photo becomes a head that moves."""

import importlib
import importlib.util
import logging
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from real3d.commands.options import ModelOptions, require_range
from real3d.errors import Real3DError


@dataclass(frozen=True, kw_only=True)
class View(ModelOptions):
    """Open a page in the browser: drop a photo, turn the head, move it, record it."""

    subject: Annotated[tyro.conf.Positional[Path | None], tyro.conf.arg(metavar="PHOTO|AVATAR")] = (
        None
    )
    """A photo, or an avatar made by reconstruct; without it the page asks for one."""
    port: int = 8000
    """Port on this machine; 0 takes a free one. Other machines cannot connect."""
    phone: bool = False
    """Hear Live Link Face: packets of a phone in the same network, on UDP port 11111."""
    phone_port: int = 11111
    """Another UDP port for --phone."""
    no_browser: bool = False
    """Only serve: do not open a browser."""

    def run(self) -> Path:
        """Serve until Ctrl-C."""
        from real3d.files import require_file

        require_range("port", self.port, 0, 65535)
        require_range("phone-port", self.phone_port, 1, 65535)
        if self.subject is not None:
            require_file(self.subject, "a photo or an .avatar file")
        if importlib.util.find_spec("aiohttp") is None:
            raise Real3DError('the viewer needs aiohttp. Run: pip install "real3d[viewer]"')
        # By name: the library must not import the viewer, which is built on it.
        server = importlib.import_module("viewer.server")
        logging.getLogger("aiohttp").setLevel(logging.ERROR)
        phone_port = self.phone_port if self.phone else 0
        model = self.load_model()
        server.serve(self.subject, model, self.port, phone_port, self._opened)
        return Path()

    def _opened(self, address: str) -> None:
        sys.stderr.write(f"{address} (Ctrl-C ends it)\n")
        if not self.no_browser:
            import webbrowser

            webbrowser.open(address)
