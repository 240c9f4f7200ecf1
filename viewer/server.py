"""The viewer's server: one page, one WebSocket a browser, heads computed one after the other.

A browser's WebSocket makes its session; the requests that follow carry the session's key in a
header, so one browser never sees another's head. The server listens on this machine alone, answers
only to its own names (a foreign page cannot reach it by a DNS trick), and reads uploads up to a
limit into a folder of its own, under names of its own.
"""

import asyncio
import logging
import math
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from aiohttp import WSMsgType, web

import real3d
from real3d.avatar import Avatar
from real3d.errors import Real3DError
from real3d.export.html_page import PAGE as SHARED_PAGE
from real3d.face.blendshapes import ARKIT_NAMES
from real3d.face.tracking import TrackedFace
from real3d.photo import Portrait
from real3d.weight_files import Model
from viewer.driving import MOTIONS, SOUNDS, VIDEOS, LiveDriver, Webcam, pose_of, read_driver
from viewer.guard import HOST, guarded, uploaded
from viewer.phone import listen_to_phone
from viewer.session import Pose, Session

_LOG = logging.getLogger(__name__)
T = TypeVar("T")

PAGE = Path(__file__).parent / "page"
_STATIC = {
    "view.css": PAGE,
    "view.js": PAGE,
    "stage.js": PAGE,
    "recorder.js": PAGE,
    "style.css": SHARED_PAGE,
    "head_view.js": SHARED_PAGE,
    "controls.js": SHARED_PAGE,
}
_PHOTOS = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".avatar")
_MAX_PHOTO, _MAX_DRIVER, _MAX_JSON = 30 << 20, 300 << 20, 16 << 20
_MAX_SESSIONS = 16
_MAX_PX = 1024


@dataclass(frozen=True)
class ViewerConfig:
    """How to serve."""

    avatar: Avatar | None = None
    """Shown to every browser that opens the page."""
    phone_port: int = 0
    """UDP port to hear Live Link Face on; 0 hears nothing."""


async def _within(thread: ThreadPoolExecutor, function: Callable[..., T], *arguments: object) -> T:
    return await asyncio.get_running_loop().run_in_executor(thread, function, *arguments)


class Viewer:
    """All sessions, and the threads that compute, paint meshes and watch webcams."""

    def __init__(self, model: Model, config: ViewerConfig):
        self._model, self._config = model, config
        self._sessions: dict[str, Session] = {}
        self._sockets: dict[str, web.WebSocketResponse] = {}
        self._phones: dict[str, LiveDriver] = {}
        self._thread = ThreadPoolExecutor(1, "real3d-viewer")
        self._painter = ThreadPoolExecutor(1, "real3d-painter")  # so that frames need not wait
        self._watcher = ThreadPoolExecutor(1, "real3d-webcam")
        self._fitter = ThreadPoolExecutor(1, "real3d-fit")  # of the face before
        self._tasks: set[asyncio.Task] = set()

    def app(self) -> web.Application:
        """The application with its routes."""
        app = web.Application(middlewares=[guarded], client_max_size=_MAX_JSON)
        app.add_routes(
            [
                web.get("/", self._index),
                web.get("/static/{name}", self._static),
                web.get("/live", self._live),
                web.post("/subject", self._subject),
                web.post("/driver", self._driver),
                web.get("/head.glb", self._head),
                web.get("/behind.jpg", self._around),
                web.get("/body.png", self._around),
                web.get("/torso.png", self._around),
                web.post("/frame", self._frame),
                web.post("/record", self._record),
                web.post("/motion.csv", self._motion),
                web.get("/me.avatar", self._avatar),
            ]
        )
        app.cleanup_ctx.append(self._phone)
        app.on_shutdown.append(self._close)
        return app

    async def _close(self, app: web.Application) -> None:
        for socket in list(self._sockets.values()):
            await socket.close()
        for thread in (self._thread, self._painter, self._watcher, self._fitter):
            thread.shutdown(wait=False, cancel_futures=True)

    async def _computed(self, function: Callable[..., T], *arguments: object) -> T:
        return await _within(self._thread, function, *arguments)

    async def _watched(self, function: Callable[..., T], *arguments: object) -> T:
        return await _within(self._watcher, function, *arguments)

    async def _index(self, request: web.Request) -> web.Response:
        return web.Response(text=(PAGE / "index.html").read_text(), content_type="text/html")

    async def _static(self, request: web.Request) -> web.FileResponse:
        name = request.match_info["name"]
        if name not in _STATIC:
            raise web.HTTPNotFound
        return web.FileResponse(_STATIC[name] / name)

    def _session(self, request: web.Request) -> Session:
        session = self._sessions.get(request.headers.get("X-Session", ""))
        if session is None:
            raise web.HTTPForbidden(text="This page is no longer connected: reload it.")
        return session

    async def _tell(self, session: Session, /, **message: object) -> None:
        socket = self._sockets.get(session.key)
        if socket is not None and not socket.closed:
            await socket.send_json(message)

    def _told(self, session: Session) -> Callable[[float, str], None]:
        """To be called from the computing thread."""
        loop = asyncio.get_running_loop()

        def told(share: float, what: str) -> None:
            if session.key not in self._sessions:
                raise Real3DError("the page was closed.")  # ends the job
            loop.call_soon_threadsafe(send, share, what)

        def send(share: float, what: str) -> None:
            self._start(self._tell(session, kind="progress", share=share, what=what))

        return told

    async def _live(self, request: web.Request) -> web.WebSocketResponse:
        """The life of a session; binary messages are a webcam's pictures."""
        socket = web.WebSocketResponse(max_msg_size=1 << 20, heartbeat=30)
        await socket.prepare(request)
        if len(self._sessions) >= _MAX_SESSIONS:
            await socket.send_json({"kind": "error", "text": "too many open pages: close some."})
            await socket.close()
            return socket
        session = Session(self._model)
        self._sessions[session.key], self._sockets[session.key] = session, socket
        webcam: Webcam | None = None
        try:
            await self._tell(
                session,
                kind="hello",
                session=session.key,
                device=self._model.device.type,
                phone=self._config.phone_port,
                names=ARKIT_NAMES,
            )
            if self._config.avatar is not None:
                self._start(self._shown(session, session.show, self._config.avatar))
            async for message in socket:
                if message.type == WSMsgType.BINARY and session.subject is not None:
                    if webcam is None:
                        webcam = await self._watched(Webcam, session.subject.avatar)
                    await self._webcam_frame(session, webcam, message.data)
                elif message.type == WSMsgType.TEXT and message.data == "still":
                    self._phones.pop(session.key, None)
                    if webcam is not None:
                        await self._watched(webcam.close)
                        webcam = None
                elif message.data == "phone" and session.subject is not None:
                    self._phones[session.key] = LiveDriver(session.subject.avatar)
        finally:
            self._phones.pop(session.key, None)
            del self._sessions[session.key], self._sockets[session.key]
            if webcam is not None:
                await self._watched(webcam.close)
            await self._computed(session.close)
        return socket

    def _start(self, work: object) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _webcam_frame(self, session: Session, webcam: Webcam, picture: bytes) -> None:
        try:
            face = await self._watched(webcam.track, picture)
        except Real3DError as error:
            await self._tell(session, kind="error", text=str(error))
            return
        self._start(self._follow(session, webcam, face))

    async def _follow(self, session: Session, webcam: Webcam, face: TrackedFace | None) -> None:
        """Tell the pose, while the next picture is being watched."""
        pose = await _within(self._fitter, webcam.pose, face) if face is not None else None
        await self._tell(session, kind="pose", **_json(pose))

    async def _phone(self, app: web.Application):
        """While the server runs: packets of a phone go to the browsers that want them."""

        async def seen(live) -> None:
            for key, driver in list(self._phones.items()):
                pose = driver.pose(live.coefficients, live.rotation, 0 * live.rotation)
                if key in self._sessions:
                    await self._tell(self._sessions[key], kind="pose", **_json(pose))

        if self._config.phone_port:
            transport = await listen_to_phone(self._config.phone_port, seen)
            yield
            transport.close()
        else:
            yield

    async def _subject(self, request: web.Request) -> web.Response:
        session = self._session(request)
        path = await uploaded(request, session, _PHOTOS, _MAX_PHOTO, "photo")
        return await self._shown(session, session.read, path)

    async def _shown(self, session: Session, show: Callable, what: object) -> web.Response:
        """Show somebody else: at once as rendered frames, a little later as a mesh as well."""
        told = self._told(session)
        try:
            await self._computed(show, what, told)
        except Real3DError as error:
            return await self._failed(session, error)
        await self._tell(session, kind="subject", own=session.own)

        async def bake() -> None:
            try:
                await _within(self._painter, session.bake, told)
                await self._tell(session, kind="mesh")
            except Real3DError as error:
                await self._failed(session, error)

        self._start(bake())
        return web.json_response({"ok": True})

    async def _failed(self, session: Session, error: Real3DError) -> web.Response:
        text = re.sub(rf"{re.escape(str(session.folder))}/([^/]+/)?", "", str(error))
        await self._tell(session, kind="error", text=text)
        return web.json_response({"error": text}, status=422)

    async def _driver(self, request: web.Request) -> web.Response:
        session = self._session(request)
        kinds = (*MOTIONS, *VIDEOS, *SOUNDS)
        path = await uploaded(request, session, kinds, _MAX_DRIVER, "driver")
        told = self._told(session)
        try:
            if session.subject is None:
                raise Real3DError("there is no head yet. Drop a photo first.")
            told(0.3, "reading the motion")
            motion = await self._computed(read_driver, path, self._model)
            pose = await self._computed(pose_of, session.subject.avatar, motion)
        except Real3DError as error:
            return await self._failed(session, error)
        session.drive_by(None if path.suffix in MOTIONS else path)
        told(1, "ready")
        return web.json_response({"fps": motion.fps, **_json(pose)})

    async def _head(self, request: web.Request) -> web.Response:
        subject = self._session(request).subject
        if subject is None or not subject.glb:
            raise web.HTTPNotFound
        return web.Response(body=subject.glb, content_type="model/gltf-binary")

    async def _around(self, request: web.Request) -> web.Response:
        subject = self._session(request).subject
        if subject is None:
            raise web.HTTPNotFound
        name, ending = request.path[1:].split(".")
        kind = "jpeg" if ending == "jpg" else ending
        return web.Response(body=getattr(subject, name), content_type=f"image/{kind}")

    async def _frame(self, request: web.Request) -> web.Response:
        session, content = self._session(request), await _content(request)
        clear, exact = bool(content.get("transparent")), bool(content.get("exact"))
        try:
            pose = Pose.parse(content)
            picture = await self._computed(session.frame, pose, _size(content), clear, exact)
        except Real3DError as error:
            return web.json_response({"error": str(error)}, status=422)
        kind = "image/png" if clear or exact else "image/jpeg"
        return web.Response(body=picture, content_type=kind)

    async def _record(self, request: web.Request) -> web.Response:
        session, content = self._session(request), await _content(request)
        try:
            path = await self._computed(
                session.record,
                Pose.parse(content),
                min(max(float(content.get("fps", 25)), 1), 60),
                _size(content),
                content.get("background"),
                bool(content.get("sound")),
                self._told(session),
            )
        except (Real3DError, TypeError, ValueError) as error:
            return await self._failed(session, Real3DError(str(error)))
        return web.FileResponse(path, headers={"Content-Type": "video/mp4"})

    async def _motion(self, request: web.Request) -> web.Response:
        session, content = self._session(request), await _content(request)
        try:
            body = session.save_motion(Pose.parse(content), float(content.get("fps", 25)))
        except (Real3DError, TypeError, ValueError) as error:
            return await self._failed(session, Real3DError(str(error)))
        return web.Response(body=body, content_type="text/csv")

    async def _avatar(self, request: web.Request) -> web.Response:
        session = self._session(request)
        try:
            body = await self._computed(session.save_avatar)
        except Real3DError as error:
            return web.json_response({"error": str(error)}, status=422)
        return web.Response(body=body, content_type="application/octet-stream")


async def _content(request: web.Request) -> dict:
    try:
        content = await request.json()
    except (ValueError, RecursionError) as error:
        raise web.HTTPBadRequest(text="wanted JSON") from error
    if not isinstance(content, dict):
        raise web.HTTPBadRequest(text="wanted a JSON object")
    return content


def _size(content: dict) -> int:
    """The asked side in pixels, within bounds and even."""
    size = content.get("size", 512)
    if not isinstance(size, int | float) or not math.isfinite(size):
        return 512
    return 2 * (min(max(int(size), 64), _MAX_PX) // 2)


def _json(pose: Pose | None) -> dict:
    if pose is None:
        return {"seen": False}
    return {
        "coefficients": pose.coefficients.round(4).tolist(),
        "rotation": pose.rotation.round(5).tolist(),
        "translation": pose.translation.round(5).tolist(),
    }


def serve(
    subject: Path | None,
    model: Model,
    port: int,
    phone_port: int,
    opened: Callable[[str], None],
) -> None:
    """Serve until interrupted; `opened` gets the address once it listens.

    subject: a photo or an .avatar file, shown to every browser. Raises Real3DError for a wrong one
    and for a port that is taken.
    """
    avatar = None
    if subject is not None and subject.suffix.lower() == ".avatar":
        avatar = Avatar.load(subject)
    elif subject is not None:
        avatar = real3d.reconstruct(Portrait.read(subject), model)
    viewer = Viewer(model, ViewerConfig(avatar, phone_port))
    asyncio.run(_serve(viewer, port, opened))


async def _serve(viewer: Viewer, port: int, opened: Callable[[str], None]) -> None:
    runner = web.AppRunner(viewer.app(), access_log=None)
    try:
        await runner.setup()
        site = web.TCPSite(runner, HOST, port)
        try:
            await site.start()
        except OSError as error:
            raise Real3DError(
                f"port {port}: {error.strerror or error}. Choose another by --port."
            ) from error
        taken = runner.addresses[0][1]
        opened(f"http://{HOST}:{taken}/")
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
