"""What the viewer's server lets in: requests of its own page, uploads of known kinds and sizes."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from viewer.session import Session

_LOG = logging.getLogger(__name__)
HOST = "127.0.0.1"
_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; media-src blob:; connect-src 'self' "
    "ws://{host}; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"
)


@web.middleware
async def guarded(request: web.Request, handler: Callable) -> web.StreamResponse:
    """Refuse other names of this server and other pages; say what the page may load."""
    host = request.headers.get("Host", "")
    if host.rsplit(":", 1)[0] not in (HOST, "localhost"):
        raise web.HTTPForbidden(text="This viewer answers to 127.0.0.1 and localhost alone.")
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{host}":
        raise web.HTTPForbidden(text="This viewer answers to its own page alone.")
    try:
        response = await handler(request)
    except (web.HTTPException, ConnectionError):
        raise
    except Exception as error:
        _LOG.debug("%s", request.path, exc_info=True)
        text = f"Unexpected {type(error).__name__}: {error}."
        response = web.json_response({"error": text}, status=500)
    if not response.prepared:
        response.headers["Content-Security-Policy"] = _POLICY.format(host=host)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
    return response


async def uploaded(
    request: web.Request, session: Session, kinds: tuple[str, ...], limit: int, stem: str
) -> Path:
    """The request's body in a file of the session; of its name only a known ending is used."""
    suffix = Path(request.headers.get("X-Name", "")).suffix.lower()
    if suffix not in kinds:
        text = f"{suffix or 'This file'} cannot be read here. Use {', '.join(kinds)}."
        raise _refusal(web.HTTPUnsupportedMediaType, text)
    if (request.content_length or 0) > limit:
        raise _refusal(_TooLarge, f"At most {limit >> 20} MB can be uploaded.")
    path, length = session.inbox() / f"{stem}{suffix}", 0
    with path.open("wb") as file:
        async for chunk in request.content.iter_chunked(1 << 20):
            length += len(chunk)
            if length > limit:
                raise _refusal(_TooLarge, f"At most {limit >> 20} MB can be uploaded.")
            file.write(chunk)
    return path


class _TooLarge(web.HTTPException):
    status_code = 413


def _refusal(kind: type[web.HTTPException], text: str) -> web.HTTPException:
    return kind(text=json.dumps({"error": text}), content_type="application/json")
