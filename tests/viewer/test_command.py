"""`real3d view` refuses what it cannot show before it listens."""

import importlib.util
import socket

import pytest

from real3d.cli import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing.jpg"], "no such file"),
        (["--port", "70000"], "--port 70000"),
        (["--phone-port", "0"], "--phone-port 0"),
        (["me.png"], "not a picture"),
    ],
)
def test_wrong_input_is_a_sentence(capsys, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "me.png").write_text("no picture")
    assert main(["view", "--no-browser", "--device", "cpu", *arguments]) == 2
    complaint = capsys.readouterr().err
    assert said in complaint
    assert len(complaint.splitlines()) == 1


def test_without_the_extra_it_says_what_to_install(capsys, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "aiohttp" else found(name, *a)
    )
    assert main(["view", "--no-browser"]) == 2
    assert "real3d[viewer]" in capsys.readouterr().err


def test_a_taken_port_is_a_sentence(capsys, monkeypatch, model):
    import real3d

    monkeypatch.setattr(real3d, "load", lambda *_, **__: model)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["view", "--no-browser", "--port", str(port)]) == 2
    assert f"port {port}" in capsys.readouterr().err
