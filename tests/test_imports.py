"""Imports go one way: the library knows neither trainers nor viewer, nor a value the line."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ABOVE_THE_LIBRARY = ("pretrain_synthetic", "finetune_video", "viewer", "tests")
VALUES = (
    "files image audio video audio_track motion motion_files motion_plot live_link emotion "
    "gestures device photo backdrop paste_back".split()
)
EXPORT = "mesh atlas completion hair views bake draw glb wavefront splats html_page formats".split()
"""The modules of real3d/export, in the same way."""
LINE = (
    "weight_files audio_weights audio_motion avatar fitting retarget retarget_speech renderer "
    "video_tracking pipeline".split()
)
"""Each imports only those before it."""
CALLED_BY_NAME = {"motion": {"real3d.audio_motion"}}
"""Motion.from_audio is where people look for it; it imports what it needs when it is called."""
ABOVE_VALUES = (*LINE, "networks", "training", "evaluation", "export", "commands")


def _imported(path: Path) -> set[str]:
    """Full names of the modules that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", sorted((ROOT / "real3d").rglob("*.py")), ids=lambda p: p.stem)
def test_the_library_does_not_import_what_uses_it(path):
    assert not {name for name in _imported(path) if name.split(".")[0] in ABOVE_THE_LIBRARY}


@pytest.mark.parametrize("name", VALUES)
def test_values_do_not_import_the_line(name):
    imported = _imported(ROOT / "real3d" / f"{name}.py") - CALLED_BY_NAME.get(name, set())
    assert not {full for full in imported if full.startswith("real3d.")} & {
        f"real3d.{above}" for above in ABOVE_VALUES
    }


@pytest.mark.parametrize("name", LINE)
def test_the_line_imports_what_comes_before(name):
    imported = _imported(ROOT / "real3d" / f"{name}.py")
    after = (*LINE[LINE.index(name) :], "training", "evaluation", "export", "commands")
    assert not imported & {f"real3d.{later}" for later in after}


@pytest.mark.parametrize("name", EXPORT)
def test_the_export_imports_what_comes_before(name):
    imported = _imported(ROOT / "real3d" / "export" / f"{name}.py")
    after = {f"real3d.export.{later}" for later in EXPORT[EXPORT.index(name) :]}
    assert not imported & after
    assert not {full for full in imported if full.startswith("real3d.commands")}


def test_only_the_command_line_imports_commands():
    for path in (ROOT / "real3d").rglob("*.py"):
        if path.parent.name != "commands" and path.name != "cli.py":
            assert not {n for n in _imported(path) if n.startswith("real3d.commands")}, path
