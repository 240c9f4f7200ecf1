"""Exported heads in a browser: our page without a network, and the GLB in three.js."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from real3d.export.formats import write_head

pytestmark = pytest.mark.browser

NODE_MODULES = Path(os.environ.get("NODE_MODULES", "node_modules")).resolve()

_THREE_PAGE = """<!doctype html><canvas id="c" width="400" height="400"></canvas>
<script type="importmap">{"imports": {"three": "/three/build/three.module.js",
"three/addons/": "/three/examples/jsm/"}}</script>
<script type="module">
import * as THREE from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
const renderer = new THREE.WebGLRenderer({ canvas: document.getElementById("c") });
const scene = new THREE.Scene();
const camera = new THREE.PerspectiveCamera(20, 1, 0.01, 10);
camera.position.set(0, 0, 1);
new GLTFLoader().load("/head.glb", (gltf) => {
  scene.add(gltf.scene);
  window.show = (name, value) => {
    scene.traverse((mesh) => {
      const k = (mesh.morphTargetDictionary || {})[name];
      if (k !== undefined) mesh.morphTargetInfluences[k] = value;
    });
    renderer.render(scene, camera);
  };
  window.show("", 0);
  window.done = true;
});
</script>"""


def test_the_page_works_without_a_network(open_eyes, baked, tmp_path):
    path = write_head(baked, tmp_path / "head.html")
    eyes = open_eyes(offline=True)
    eyes.page.goto(path.as_uri())
    eyes.until("window.real3d !== undefined")
    eyes.page.click("#life")
    eyes.page.wait_for_timeout(300)
    front = eyes.picture()
    assert not eyes.blank(front)
    eyes.slide("jawOpen", 1)
    eyes.page.wait_for_timeout(200)
    opened = eyes.picture()
    assert eyes.differs(front, opened)
    eyes.drag(120, 0)
    eyes.page.wait_for_timeout(200)
    assert eyes.differs(opened, eyes.picture())
    assert eyes.faults == []


def test_the_glb_moves_in_three(open_eyes, baked, tmp_path):
    three = NODE_MODULES / "three"
    if not three.is_dir():
        pytest.skip("three.js is not installed; make test-browser installs it where npm is")
    path = write_head(baked, tmp_path / "head.glb")
    eyes = open_eyes()

    def answer(route):
        place = route.request.url.removeprefix("http://real3d.test/")
        if place.startswith("three/"):
            route.fulfill(path=three / place.removeprefix("three/"))
        elif place == "head.glb":
            route.fulfill(body=path.read_bytes(), content_type="model/gltf-binary")
        else:
            route.fulfill(body=_THREE_PAGE, content_type="text/html")

    eyes.context.route("**/*", answer)
    eyes.page.goto("http://real3d.test/")
    eyes.until("window.done")
    shut = eyes.picture("canvas")
    assert not eyes.blank(shut)
    eyes.page.evaluate("show('jawOpen', 1)")
    opened = eyes.picture("canvas")
    assert eyes.differs(shut, opened)
    rows = np.abs(shut - opened).max(-1).max(1) > 40
    assert rows[200:].sum() > rows[:200].sum()  # the lower half moves


def test_khronos_validator_finds_no_fault(baked, tmp_path):
    node = shutil.which("node")
    if node is None or not (NODE_MODULES / "gltf-validator").is_dir():
        pytest.skip("gltf-validator is not installed; make test-browser installs it where npm is")
    path = write_head(baked, tmp_path / "head.glb")
    script = """const v = require(process.argv[2]), fs = require("fs");
        v.validateBytes(new Uint8Array(fs.readFileSync(process.argv[1])))
         .then((report) => console.log(JSON.stringify(report.issues)));"""
    command = [node, "-e", script, str(path), str(NODE_MODULES / "gltf-validator")]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert (found["numErrors"], found["numWarnings"]) == (0, 0), found["messages"]
