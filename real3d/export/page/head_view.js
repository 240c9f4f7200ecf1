// Draws a head that Real3D exported (binary glTF) with WebGL: texture, 52 morph targets, orbit.
// It needs nothing else. Axes: the head frame's (x right, y down, z away), unit 16 cm, seen through
// Real3D's own camera, so that a rendered frame and this picture lie over each other.
"use strict";

const METRES = 0.16; // in a head unit
const FOCAL = 8.776; // of Real3D's camera, in half sides of the picture
const REACH = 2.5; // depths around the head that are drawn, head units

/** Parts of a .glb: positions, uv, triangles, texture, and sparse morph targets by name. */
function parseGlb(buffer) {
  const data = new DataView(buffer);
  if (data.getUint32(0, true) !== 0x46546c67) throw new Error("not a binary glTF file");
  const length = data.getUint32(12, true);
  const gltf = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 20, length)));
  const start = 28 + length;
  const view = (k) => gltf.bufferViews[k];
  const widths = { SCALAR: 1, VEC2: 2, VEC3: 3 };
  const read = (k) => {
    const a = gltf.accessors[k];
    const Kind = a.componentType === 5126 ? Float32Array : Uint32Array;
    return new Kind(buffer, start + view(a.bufferView).byteOffset, a.count * widths[a.type]);
  };
  return gltf.meshes.map((mesh) => {
    const p = mesh.primitives[0];
    const material = gltf.materials[p.material];
    const image = gltf.images[gltf.textures[
      material.pbrMetallicRoughness.baseColorTexture.index].source];
    const { byteOffset, byteLength } = view(image.bufferView);
    const bytes = new Uint8Array(buffer, start + byteOffset, byteLength);
    return {
      name: mesh.name,
      positions: read(p.attributes.POSITION),
      uv: read(p.attributes.TEXCOORD_0),
      triangles: read(p.indices),
      picture: new Blob([bytes], { type: image.mimeType }),
      names: mesh.extras ? mesh.extras.targetNames : [],
      targets: (p.targets || []).map((t) => sparse(read(t.POSITION))),
      weights: mesh.weights || [],
    };
  });
}

/** The vertices that a target moves, and by how much. */
function sparse(moves) {
  const vertices = [];
  for (let k = 0; k < moves.length; k += 3) {
    if (Math.abs(moves[k]) + Math.abs(moves[k + 1]) + Math.abs(moves[k + 2]) > 1e-7) {
      vertices.push(k);
    }
  }
  return { vertices: Uint32Array.from(vertices), moves };
}

/** Row-major 3 × 3 of yaw, pitch, roll in radians: roll · pitch · yaw, as real3d.rotation has it. */
function rotationOf([yaw, pitch, roll]) {
  const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
  const [cr, sr] = [Math.cos(roll), Math.sin(roll)];
  const turn = [cy, 0, -sy, 0, 1, 0, sy, 0, cy];
  const nod = [1, 0, 0, 0, cp, sp, 0, -sp, cp];
  const tilt = [cr, -sr, 0, sr, cr, 0, 0, 0, 1];
  return times(tilt, times(nod, turn));
}

/** Product of two row-major 3 × 3 matrices. */
function times(a, b) {
  const c = new Array(9);
  for (let i = 0; i < 9; i++) {
    const [r, k] = [3 * Math.floor(i / 3), i % 3];
    c[i] = a[r] * b[k] + a[r + 1] * b[k + 3] + a[r + 2] * b[k + 6];
  }
  return c;
}

/** Yaw, pitch, roll of a row-major rotation: the inverse of rotationOf. */
function anglesOf(m) {
  const pitch = Math.asin(Math.max(-1, Math.min(1, -m[7])));
  return [Math.atan2(m[6], m[8]), pitch, Math.atan2(-m[1], m[4])];
}

const VERTEX_SHADER = `
attribute vec3 position; attribute vec2 uv;
uniform mat3 rotation; uniform vec3 translation; uniform vec4 frame; uniform float aspect;
varying vec2 at;
void main() {
  vec3 head = position * vec3(1.0, -1.0, -1.0) / ${METRES};
  vec3 seen = rotation * head + translation;
  float near = translation.z - ${REACH.toFixed(1)}, far = translation.z + ${REACH.toFixed(1)};
  float depth = (2.0 * seen.z - near - far) / (far - near) * seen.z;
  vec2 flat_ = ${FOCAL} * seen.xy * vec2(1.0, -1.0) * frame.x + frame.yz * seen.z;
  gl_Position = vec4(flat_ * vec2(min(1.0, 1.0 / aspect), min(1.0, aspect)), depth, seen.z);
  at = uv;
}`;
const FRAGMENT_SHADER = `
precision mediump float;
varying vec2 at; uniform sampler2D picture;
void main() {
  vec4 colour = texture2D(picture, at);
  if (colour.a < 0.5) discard;
  gl_FragColor = vec4(colour.rgb, 1.0);
}`;

class HeadView {
  /** A view into a canvas; angles in radians, translation in head units. */
  constructor(canvas) {
    this.canvas = canvas;
    this.rotation = rotationOf([0, 0, 0]);
    this.translation = [0, -0.2, 11];
    this.zoom = 1;
    this.pan = [0, 0];
    this.parts = [];
    this.framesDrawn = 0;
    const options = { alpha: true, antialias: true, preserveDrawingBuffer: true };
    this.gl = canvas.getContext("webgl", options);
    if (!this.gl) throw new Error("this browser has no WebGL");
    this.gl.getExtension("OES_element_index_uint");
    this.program = this._program();
  }

  /** Show a .glb; resolves when its pictures are decoded. */
  async load(buffer) {
    const parts = parseGlb(buffer);
    for (const part of parts) {
      part.bitmap = await createImageBitmap(part.picture, { premultiplyAlpha: "none" });
    }
    this.clear();
    const gl = this.gl;
    for (const part of parts) {
      part.moved = new Float32Array(part.positions);
      part.buffers = {
        position: this._buffer(gl.ARRAY_BUFFER, part.moved),
        uv: this._buffer(gl.ARRAY_BUFFER, part.uv),
        triangles: this._buffer(gl.ELEMENT_ARRAY_BUFFER, part.triangles),
      };
      part.texture = this._texture(part.bitmap);
    }
    this.parts = parts;
    const head = parts.find((part) => part.targets.length) || parts[0];
    this.names = head.names;
    this.own = Float32Array.from(head.weights);
    this.setCoefficients(this.own);
  }

  /** Forget the head that is shown. */
  clear() {
    for (const part of this.parts) {
      Object.values(part.buffers).forEach((buffer) => this.gl.deleteBuffer(buffer));
      this.gl.deleteTexture(part.texture);
    }
    this.parts = [];
  }

  /** Move the face: 52 numbers in the order of `names`. */
  setCoefficients(coefficients) {
    for (const part of this.parts.filter((p) => p.targets.length)) {
      part.moved.set(part.positions);
      part.targets.forEach(({ vertices, moves }, k) => {
        const c = coefficients[k];
        if (!c) return;
        for (const v of vertices) {
          part.moved[v] += c * moves[v];
          part.moved[v + 1] += c * moves[v + 1];
          part.moved[v + 2] += c * moves[v + 2];
        }
      });
      const gl = this.gl;
      gl.bindBuffer(gl.ARRAY_BUFFER, part.buffers.position);
      gl.bufferSubData(gl.ARRAY_BUFFER, 0, part.moved);
    }
  }

  /** Draw one frame at the canvas's size on the screen. */
  draw() {
    const { gl, canvas } = this;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth * ratio, canvas.clientHeight * ratio].map(Math.round);
    if (canvas.width !== width || canvas.height !== height) {
      [canvas.width, canvas.height] = [width, height];
    }
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.enable(gl.DEPTH_TEST);
    gl.useProgram(this.program);
    const at = (name) => gl.getUniformLocation(this.program, name);
    const m = this.rotation; // WebGL wants columns
    const columns = [m[0], m[3], m[6], m[1], m[4], m[7], m[2], m[5], m[8]];
    gl.uniformMatrix3fv(at("rotation"), false, columns);
    gl.uniform3fv(at("translation"), this.translation);
    gl.uniform4f(at("frame"), this.zoom, this.pan[0], this.pan[1], 0);
    gl.uniform1f(at("aspect"), width / Math.max(1, height));
    for (const part of this.parts) this._drawPart(part);
    this.framesDrawn += 1;
  }

  _drawPart(part) {
    const gl = this.gl;
    for (const [name, width] of [["position", 3], ["uv", 2]]) {
      const place = gl.getAttribLocation(this.program, name);
      gl.bindBuffer(gl.ARRAY_BUFFER, part.buffers[name]);
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, width, gl.FLOAT, false, 0, 0);
    }
    gl.bindTexture(gl.TEXTURE_2D, part.texture);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, part.buffers.triangles);
    gl.drawElements(gl.TRIANGLES, part.triangles.length, gl.UNSIGNED_INT, 0);
  }

  _buffer(kind, content) {
    const buffer = this.gl.createBuffer();
    this.gl.bindBuffer(kind, buffer);
    this.gl.bufferData(kind, content, this.gl.DYNAMIC_DRAW);
    return buffer;
  }

  _texture(bitmap) {
    const gl = this.gl;
    const texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, bitmap);
    gl.generateMipmap(gl.TEXTURE_2D);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_LINEAR);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    return texture;
  }

  _program() {
    const gl = this.gl;
    const program = gl.createProgram();
    for (const [kind, source] of [
      [gl.VERTEX_SHADER, VERTEX_SHADER], [gl.FRAGMENT_SHADER, FRAGMENT_SHADER],
    ]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) {
        throw new Error(gl.getShaderInfoLog(shader));
      }
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    return program;
  }
}

/** The mouse turns (drag), moves (drag with Shift or the right button) and zooms (wheel). */
function orbitWith(element, change) {
  const pressed = new Map();
  element.addEventListener("contextmenu", (event) => event.preventDefault());
  element.addEventListener("pointerdown", (event) => {
    element.setPointerCapture(event.pointerId);
    pressed.set(event.pointerId, [event.clientX, event.clientY]);
  });
  element.addEventListener("pointermove", (event) => {
    const last = pressed.get(event.pointerId);
    if (!last) return;
    const [dx, dy] = [event.clientX - last[0], event.clientY - last[1]];
    pressed.set(event.pointerId, [event.clientX, event.clientY]);
    const moves = event.shiftKey || event.buttons & 2 || pressed.size > 1;
    change(moves ? { pan: [dx, dy] } : { turn: [dx, dy] });
  });
  for (const end of ["pointerup", "pointercancel"]) {
    element.addEventListener(end, (event) => pressed.delete(event.pointerId));
  }
  element.addEventListener("wheel", (event) => {
    event.preventDefault();
    change({ zoom: Math.exp(-event.deltaY / 600) });
  }, { passive: false });
}
