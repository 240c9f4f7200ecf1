"""What the viewer's server refuses, and that pages have heads of their own."""

import asyncio
import io

import numpy as np
import pytest
from PIL import Image

import real3d
from real3d.errors import Real3DError

test_utils = pytest.importorskip("aiohttp.test_utils")
aiohttp = pytest.importorskip("aiohttp")

from viewer.server import Viewer, ViewerConfig  # noqa: E402 (after the skip)
from viewer.session import MAX_FRAMES, Pose, Session  # noqa: E402

STILL = {"coefficients": [[0.0] * 52], "rotation": [[0, 0, 0]], "translation": [[0, 0, 0]]}


def _visited(model, visit):
    """What a coroutine says that gets a client of a fresh viewer."""

    async def run():
        app = Viewer(model, ViewerConfig()).app()
        server = test_utils.TestServer(app, host="127.0.0.1")
        async with test_utils.TestClient(server) as client:
            return await visit(client)

    return asyncio.run(run())


async def _hello(client):
    socket = await client.ws_connect("/live")
    hello = await socket.receive_json()
    return socket, {"X-Session": hello["session"]}


@pytest.mark.parametrize(
    "headers", [{"Host": "real3d.example"}, {"Host": "127.0.0.1.example:80"},
                {"Origin": "http://elsewhere.example"}],
)  # fmt: skip
def test_other_names_and_pages_are_refused(model, headers):
    async def visit(client):
        return [(await client.get(path, headers=headers)).status for path in ("/", "/live")]

    assert _visited(model, visit) == [403, 403]


def test_what_goes_wrong_is_a_sentence(model, monkeypatch):
    async def visit(client):
        socket, headers = await _hello(client)
        monkeypatch.setattr("viewer.server.Pose.parse", lambda _: 1 / 0)
        answer = await client.post("/frame", json={}, headers=headers)
        await socket.close()
        return answer.status, (await answer.json())["error"]

    status, error = _visited(model, visit)
    assert (status, error) == (500, "Unexpected ZeroDivisionError: division by zero.")


def test_the_page_loads_nothing_from_elsewhere(model):
    async def visit(client):
        page = await client.get("/")
        text = await page.text()
        paths = [part.split('"')[0] for part in text.split('="static/')[1:]]
        found = [(await client.get(f"/static/{path}")).status for path in paths]
        other = (await client.get("/static/server.py")).status
        up = (await client.get("/static/..%2fserver.py")).status
        return page.headers["Content-Security-Policy"], text, found, other, up

    policy, text, found, other, up = _visited(model, visit)
    assert "default-src 'self'" in policy
    assert "http" not in text
    assert len(found) == 7
    assert set(found) == {200}
    assert (other, up) == (404, 404)


@pytest.mark.parametrize("path", ["/frame", "/subject", "/driver", "/record", "/motion.csv"])
def test_without_a_session_nothing_is_done(model, path):
    async def visit(client):
        _, headers = await _hello(client)
        stranger = headers["X-Session"][:-1] + "!"
        answers = [{}, {"X-Session": stranger}]
        return [(await client.post(path, headers=h, json=STILL)).status for h in answers]

    assert _visited(model, visit) == [403, 403]


@pytest.mark.parametrize(
    ("path", "name", "status"),
    [
        ("/subject", "a.exe", 415),
        ("/subject", "a", 415),
        ("/subject", "../../a.svg", 415),
        ("/driver", "a.png", 415),
        ("/subject", "a.png", 422),
        ("/subject", "a.avatar", 422),
        ("/driver", "a.csv", 422),
    ],
)
def test_wrong_uploads_are_refused(model, path, name, status):
    async def visit(client):
        _, headers = await _hello(client)
        answer = await client.post(path, headers=headers | {"X-Name": name}, data=b"nonsense")
        return answer.status, (await answer.json())["error"]

    found, said = _visited(model, visit)
    assert found == status
    assert "/tmp" not in said


def test_large_uploads_are_refused(model, monkeypatch):
    monkeypatch.setattr("viewer.server._MAX_PHOTO", 1000)

    async def visit(client):
        _, headers = await _hello(client)
        headers |= {"X-Name": "a.png"}
        whole = await client.post("/subject", headers=headers, data=bytes(2000))

        async def unsaid():
            for _ in range(4):
                yield bytes(500)

        chunked = await client.post("/subject", headers=headers, data=unsaid())
        return whole.status, chunked.status

    assert _visited(model, visit) == (413, 413)


def test_a_session_ends_with_its_page(model):
    async def visit(client):
        socket, headers = await _hello(client)
        before = (await client.post("/frame", headers=headers, json=STILL)).status
        await socket.close()
        await asyncio.sleep(0.2)
        return before, (await client.post("/frame", headers=headers, json=STILL)).status

    assert _visited(model, visit) == (422, 403)


def test_only_so_many_pages(model, monkeypatch):
    monkeypatch.setattr("viewer.server._MAX_SESSIONS", 1)

    async def visit(client):
        await _hello(client)
        second = await client.ws_connect("/live")
        return await second.receive_json()

    assert _visited(model, visit)["kind"] == "error"


@pytest.mark.parametrize(
    "change",
    [
        {"coefficients": [[0.0] * 51]},
        {"rotation": [["a", 0, 0]]},
        {"rotation": [[float("nan"), 0, 0]]},
        {"translation": []},
        {"translation": [[0, 0, 0]] * 2},
        {"coefficients": None},
    ],
)
def test_odd_poses_are_refused(change):
    with pytest.raises(Real3DError):
        Pose.parse(STILL | change)


def test_poses_are_held_within_bounds():
    pose = Pose.parse(STILL | {"coefficients": [[7.0] * 52], "translation": [[9, 0, -9]]})
    assert pose.coefficients.max() == 1
    assert np.abs(pose.translation).max() == 2
    with pytest.raises(Real3DError, match="frames"):
        Pose.parse({name: rows * (MAX_FRAMES + 1) for name, rows in STILL.items()})


def test_the_body_stays_while_the_mesh_moves(model, photo):
    """As does the ring of the astronaut's suit, beside her neck."""
    session = Session(model)
    session.show(real3d.reconstruct(real3d.Portrait.read(photo), model), lambda *_: None)
    subject = session.subject
    body, torso = (
        np.asarray(Image.open(io.BytesIO(file)))[..., 3] for file in (subject.body, subject.torso)
    )
    size = len(body)
    ring, face, chest = ((0.66, 0.14), (0.45, 0.5), (0.95, 0.5))

    def at(alpha, place):
        return alpha[int(place[0] * size), int(place[1] * size)]

    assert at(body, ring) > 200
    assert at(body, face) == 0
    assert at(body, chest) == at(torso, chest) == 255
    session.close()
