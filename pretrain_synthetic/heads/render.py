"""Deferred renderer (OpenGL 3.3 through EGL): meshes, light and camera to a picture with labels.

Runs on a GPU or on a CPU (Mesa llvmpipe).
"""

import functools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np

from pretrain_synthetic.heads import shaders
from pretrain_synthetic.heads.light import lamps_of
from pretrain_synthetic.heads.resolve import Buffers, resolve
from pretrain_synthetic.heads.scene import (
    CARD,
    Camera,
    Frame,
    Light,
    Mesh,
    Skin,
    look_at,
    perspective,
)
from pretrain_synthetic.heads.turn import PIVOT_DM, HeadTurn
from real3d.errors import Real3DError

if TYPE_CHECKING:
    import moderngl

_PUSH = {"mouth": 0.07, "eye": 0.012}
"""Decimetres by which a material is drawn behind its place (depth test only)."""
_MATERIAL = {"skin": 1, "eye": 2, "hair": 3, "mouth": 4, "gloss": 5, "cloth": 6}
_TILES = 8
"""Shadow maps side by side in the atlas."""
_NEAR_DM, _FAR_DM = 2, 80
_CENTRE_DM, _RADIUS_DM = np.array([0, -0.6, -0.75]), 3.4
"""The sphere that casts shadows."""
_AHEAD = HeadTurn()


def create_context(device_index: int = 0) -> "moderngl.Context":
    """Off-screen OpenGL 3.3 through EGL."""
    try:
        import moderngl
    except ImportError as error:
        raise Real3DError(
            'moderngl is not installed. Run: pip install "real3d[pretrain]"'
        ) from error
    reason = None
    for libgl in ("libGL.so.1", "libOpenGL.so.0"):
        try:
            return moderngl.create_context(
                standalone=True,
                backend="egl",
                device_index=device_index,
                libgl=libgl,
                libegl="libEGL.so.1",
            )
        except Exception as error:  # moderngl raises bare Exception
            reason = error
    raise Real3DError(
        f"no EGL context ({reason}). Install OpenGL: apt-get install libegl1 libgl1 libgl1-mesa-dri"
    )


def _in_own_context(method: Callable) -> Callable:
    """GL calls go to the context made last, whoever makes them: a method that takes its own."""

    @functools.wraps(method)
    def called(self: "Renderer", *arguments: object) -> object:
        with self.context:
            return method(self, *arguments)

    return called


class Renderer:
    """Holds a GL context of its own, so that several may stand side by side.

    Order of calls: set_light, set_meshes, then render any views.
    """

    def __init__(
        self,
        size: int,
        supersample: int = 2,
        lights: int = 8,
        shadow_px: int = 384,
        device: int = 0,
    ) -> None:
        c = self.context = create_context(device)
        self.size, self.inner, self.lights, self.shadow_px = (
            size,
            size * supersample,
            lights,
            shadow_px,
        )
        self.geometry = c.program(shaders.GEOMETRY_VERTEX, shaders.GEOMETRY_FRAGMENT)
        self.card_depth = c.program(shaders.GEOMETRY_VERTEX, shaders.CARD_DEPTH_FRAGMENT)
        self.caster = c.program(shaders.SHADOW_VERTEX, shaders.SHADOW_FRAGMENT)
        self.shade = c.program(shaders.SCREEN_VERTEX, shaders.LIGHT_FRAGMENT % lights)
        n = (self.inner, self.inner)
        self.surface = [c.texture(n, 4, dtype=d) for d in ("f2", "f2", "f4")]
        """Albedo and code, normal, position."""
        self.lit = [c.texture(n, 4, dtype="f2") for _ in range(2)]
        self.rows = -(-lights // _TILES)
        self.atlas = c.depth_texture((shadow_px * _TILES, shadow_px * self.rows))
        self.atlas.compare_func = ""
        for t in (*self.surface, self.atlas):
            t.filter = (c.NEAREST, c.NEAREST)
        self.surface_buffer = c.framebuffer(self.surface, c.depth_renderbuffer(n))
        self.distance = c.texture(n, 1, dtype="f4")
        self.light_buffer = c.framebuffer([*self.lit, self.distance])
        self.shadow_buffer = c.framebuffer(depth_attachment=self.atlas)
        corner = c.buffer(np.array([-1, -1, 1, -1, -1, 1, 1, 1], "f4").tobytes())
        self.quad = c.vertex_array(self.shade, [(corner, "2f", "q")])
        self.drawn, self.textures, self.surroundings, self.turn = [], {}, None, None

    @_in_own_context
    def set_light(self, light: Light) -> None:
        """Light the scene; set_meshes has to follow."""
        self.lamps, self.light = lamps_of(light, self.lights), light
        if self.surroundings:
            self.surroundings.release()
        image = self.lamps.surroundings
        self.surroundings = self.context.texture(
            image.shape[1::-1], 3, image.astype("f2").tobytes(), dtype="f2"
        )
        self.surroundings.build_mipmaps()
        self.surroundings.filter = (self.context.LINEAR_MIPMAP_LINEAR, self.context.LINEAR)

    @_in_own_context
    def set_meshes(self, meshes: Iterable[Mesh], masks: np.ndarray, skin: Skin) -> None:
        """Upload a posed person; masks (h, w, 4): where hair grows."""
        for _, *objects in self.drawn:
            for gl in objects:
                if gl is not None:
                    gl.release()
        self.drawn, self.masks, self.skin = [], masks, skin
        for m in meshes:
            vertex = self.context.buffer(m.vertex.tobytes())
            index = self.context.buffer(m.triangle.astype("i4").tobytes())
            draw = self.context.vertex_array(
                self.geometry, [(vertex, "3f 3f 2f 1f", "p", "n", "t", "w")], index
            )
            cast = self.context.vertex_array(
                self.caster, [(vertex, "3f 12x 2f 1f", "p", "t", "w")], index
            )
            ahead = None
            if m.strands == CARD:
                ahead = self.context.vertex_array(
                    self.card_depth, [(vertex, "3f 3f 2f 1f", "p", "n", "t", "w")], index
                )
            self.drawn.append((m, draw, cast, ahead, vertex, index))
        self.turn = None

    @_in_own_context
    def forget_textures(self, keep: list[np.ndarray]) -> None:
        """Free every texture whose picture is not in keep (call between people)."""
        alive = {id(k) for k in keep}
        for key in [k for k in self.textures if k not in alive]:
            self.textures.pop(key)[1].release()

    @_in_own_context
    def render(self, camera: Camera, backdrop: np.ndarray, turn: HeadTurn = _AHEAD) -> Frame:
        """Draw one view over backdrop (size, size, 3; linear RGB), the head turned on the neck."""
        if turn != self.turn:
            self.turn = turn
            for program in (self.geometry, self.card_depth, self.caster):
                program["turn"].value = turn.axis_angle()
                program["pivot"].value = tuple(PIVOT_DM)
                program["shoulders"].value, program["shift"].value = turn.shoulders, turn.shift_dm
            self._draw_shadows()
        eye = tuple(-camera.view[:3, :3].T @ camera.view[:3, 3])
        self._draw_surface(camera, eye)
        self._draw_light(eye, -camera.view[2])
        surface = _read(self.surface[0], "f2")
        diffuse, specular = (_read(t, "f2")[..., :3] for t in self.lit)
        buffers = Buffers(
            surface[..., :3].astype("f4"),
            surface[..., 3].astype(np.uint8),
            np.nan_to_num(diffuse.astype("f4"), posinf=8.0),
            np.nan_to_num(specular.astype("f4"), posinf=8.0),
            _read(self.distance, "f4")[..., 0],
        )
        return resolve(buffers, backdrop)

    def _texture(self, image: np.ndarray, anisotropy: float = 4.0) -> "moderngl.Texture":
        key = id(image)
        if key not in self.textures:
            flipped = np.ascontiguousarray(image[::-1]).tobytes()
            t = self.context.texture(image.shape[1::-1], 4, flipped)
            t.build_mipmaps()
            t.filter = (self.context.LINEAR_MIPMAP_LINEAR, self.context.LINEAR)
            t.anisotropy = anisotropy
            self.textures[key] = (image, t)  # keeps the array alive, so that its id stays unique
        return self.textures[key][1]

    def _draw_shadows(self) -> None:
        self.shadow_buffer.use()
        self.shadow_buffer.clear(depth=1.0)
        self.context.enable(self.context.DEPTH_TEST)
        ortho = np.diag([1 / _RADIUS_DM, 1 / _RADIUS_DM, -2 / (3.9 * _RADIUS_DM), 1.0])
        ortho[2, 3] = -4.1 / 3.9
        self.light_matrix, px = [], self.shadow_px
        for i, towards in enumerate(self.lamps.direction):
            view = look_at(_CENTRE_DM + towards * 2 * _RADIUS_DM, _CENTRE_DM, 0.0)
            self.light_matrix.append(ortho @ view)
            self.shadow_buffer.viewport = (i % _TILES * px, i // _TILES * px, px, px)
            self.caster["MVP"].write(_bytes(self.light_matrix[-1].T))
            for m, _, cast, *_ in self.drawn:
                if m.shadow:
                    self._texture(m.texture, 1.0 if m.strands == CARD else 4.0).use(0)
                    self.caster["cut"] = 0.5 if m.cut < 0 else m.cut
                    cast.render()

    def _draw_surface(self, camera: Camera, eye: tuple) -> None:
        self.surface_buffer.use()
        self.surface_buffer.clear(0, 0, 0, 0)
        self.context.enable(self.context.DEPTH_TEST)
        self.context.depth_func = "<="
        matrix = _bytes((perspective(camera.fov, _NEAR_DM, _FAR_DM) @ camera.view).T)
        self._draw_card_depth(matrix, eye)
        u = self.geometry
        u["MVP"].write(matrix)
        u["eye"].value = eye
        u["stubble"].value, u["scalp"].value = self.skin.stubble, self.skin.scalp
        self._texture(self.masks).use(1)
        self._texture(self.masks if self.skin.creases is None else self.skin.creases).use(2)
        u["masks"], u["creases"], u["crease"].value = 1, 2, self.skin.crease_amounts
        for m, draw, *_ in self.drawn:
            self._texture(m.texture, 1.0 if m.strands == CARD else 4.0).use(0)
            u["material"], u["label"] = _MATERIAL[m.material], m.label
            u["cut"], u["bump"], u["lift"] = m.cut, m.bump, m.lift
            u["tint"].value, u["shell"].value, u["strands"].value = m.tint, m.shell, m.strands
            u["push"] = _PUSH.get(m.material, 0.0)
            draw.render()

    def _draw_card_depth(self, matrix: bytes, eye: tuple) -> None:
        self.card_depth["MVP"].write(matrix)
        self.card_depth["eye"].value = eye
        self.surface_buffer.color_mask = ((False,) * 4,) * len(self.surface)
        for m, _, _, ahead, *_ in self.drawn:
            if ahead is not None:
                self._texture(m.texture, 1.0).use(0)
                ahead.render()
        self.surface_buffer.color_mask = ((True,) * 4,) * len(self.surface)

    def _draw_light(self, eye: tuple, forward: np.ndarray) -> None:
        self.light_buffer.use()
        self.context.disable(self.context.DEPTH_TEST)
        s, names = self.shade, ("g0", "g1", "g2", "atlas", "env")
        for k, t in enumerate([*self.surface, self.atlas, self.surroundings]):
            t.use(k)
            s[names[k]] = k
        s["LM"].write(_bytes(np.stack([m.T for m in self.light_matrix])))
        s["LD"].write(_bytes(self.lamps.direction))
        s["LC"].write(_bytes(self.lamps.colour))
        s["forward"].value = tuple(forward)
        s["eye"].value, s["tiles"].value = eye, (_TILES, self.rows)
        s["envrot"], s["envscale"] = self.light.rotation, self.lamps.exposure
        s["gloss"] = self.skin.gloss
        self.quad.render(self.context.TRIANGLE_STRIP)


def _bytes(matrix: np.ndarray) -> bytes:
    return np.ascontiguousarray(matrix, "f4").tobytes()


def _read(texture: "moderngl.Texture", dtype: str) -> np.ndarray:
    """(h, w, c) of a dtype, row 0 at the top."""
    shape = (texture.height, texture.width, texture.components)
    return np.frombuffer(texture.read(), dtype).reshape(shape)[::-1]
