"""One HTML file with the head in it: orbit and sliders, in any browser, without a network."""

import base64
import html
from pathlib import Path

from real3d.export.glb import glb_bytes
from real3d.export.mesh import BakedHead

PAGE = Path(__file__).parent / "page"
_INLINE = ("style.css", "head_view.js", "controls.js", "page.js")


def write_page(baked: BakedHead, path: Path, title: str = "A head by Real3D") -> None:
    """Write the file; callers write beside and rename."""
    text = (PAGE / "page.html").read_text(encoding="utf-8")
    parts = {name: (PAGE / name).read_text(encoding="utf-8") for name in _INLINE}
    parts["title"] = html.escape(title)
    parts["glb"] = base64.b64encode(glb_bytes(baked)).decode()
    for name, content in parts.items():
        text = text.replace("{{" + name + "}}", content)
    Path(path).write_text(text, encoding="utf-8")
