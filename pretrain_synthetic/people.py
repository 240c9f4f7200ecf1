"""Synthetic people as training clips: one person, one light, several expressions and views."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from pretrain_synthetic.framing import LOOSE_SHARE, follow, sample_crop_camera, sample_turn
from pretrain_synthetic.heads.assets import Assets
from pretrain_synthetic.heads.crown import crown_of
from pretrain_synthetic.heads.expression import expression, gaze, sample_expression
from pretrain_synthetic.heads.glasses import glasses, sample_frame
from pretrain_synthetic.heads.hat_meshes import hat_meshes
from pretrain_synthetic.heads.hats import sample_hat
from pretrain_synthetic.heads.light import sample_backdrop, sample_light
from pretrain_synthetic.heads.look import Look, sample_look
from pretrain_synthetic.heads.meshes import build_meshes
from pretrain_synthetic.heads.render import Renderer
from pretrain_synthetic.heads.scene import Camera, Frame, Light, Mesh
from pretrain_synthetic.heads.shape import (
    Identity,
    neutral_vertices,
    posed_vertices,
    sample_identity,
)
from pretrain_synthetic.heads.strands import grown_hair
from pretrain_synthetic.heads.turn import HeadTurn
from pretrain_synthetic.heads.wrinkles import wrinkle_amounts, wrinkle_map
from pretrain_synthetic.landmarks import HEAD_UNIT_DM, NOSE_TIP, LandmarkPlaces, project
from real3d.face.blendshapes import ARKIT_NAMES
from real3d.training.shards import TrackedClip, TrackedFrame, encode_webp

LABEL_SIZE, DEPTH_SIZE = 192, 64
BACKGROUND_DEPTH = 9.0
FRONTAL, TURNED, ORBIT = "frontal", "turned", "orbit"
"""The head nearly as it is at rest; turned on the neck; seen from any side. The portrait camera
stays in the first two."""
VIEWS = (
    (FRONTAL, ORBIT),
    (TURNED, ORBIT),
    (FRONTAL, TURNED),
    (TURNED, ORBIT),
    (FRONTAL, TURNED),
    (TURNED, ORBIT),
)
"""Two views of each expression."""
VIEW_COUNT = sum(len(kinds) for kinds in VIEWS)
EXPRESSIONS = ("rest", "open jaw", "shut eyes", "smile", "gaze", "anything")
"""What the expressions of a person are, in their order."""


@dataclass(frozen=True)
class View:
    """A rendered picture and what is known of it."""

    frame: Frame
    landmarks: np.ndarray
    """(478, 3) normalised crop coordinates."""
    nose_depth_dm: float
    """Depth of the nose tip."""
    coefficients: np.ndarray
    """(52,) in ARKit's order (real3d.face.blendshapes)."""
    head_view: np.ndarray
    """(4, 4) OpenGL view matrix of the head as it is turned, decimetres."""

    def encoded(self) -> TrackedFrame:
        """As a frame of a shard."""
        frame, small = self.frame, (LABEL_SIZE, LABEL_SIZE)
        alpha = cv2.resize(frame.alpha, small, interpolation=cv2.INTER_AREA)
        parts = cv2.resize(frame.parts, small, interpolation=cv2.INTER_NEAREST)
        pick = ((np.arange(DEPTH_SIZE) + 0.5) * len(frame.depth) / DEPTH_SIZE).astype(int)
        depth = frame.depth[np.ix_(pick, pick)]
        behind = (depth - self.nose_depth_dm) / HEAD_UNIT_DM
        return TrackedFrame(
            encode_webp(frame.rgb, 88),
            encode_webp((alpha * 255 + 0.5).astype(np.uint8), 85),
            self.landmarks.astype(np.float32),
            self.coefficients.astype(np.float32),
            cv2.imencode(".png", parts)[1].tobytes(),
            np.where(depth > 0, behind, BACKGROUND_DEPTH).astype(np.float16),
        )


@dataclass(frozen=True)
class Person:
    """Who is before the camera: all that stays while the face moves."""

    identity: Identity
    look: Look
    neutral: np.ndarray
    """(v, 3) body vertices at rest."""
    worn: list[Mesh]
    """Grown hair, glasses and hat."""
    light: Light


@dataclass(frozen=True)
class Studio:
    """What every person needs: assets, the renderer and the landmarks' places."""

    assets: Assets
    renderer: Renderer
    places: LandmarkPlaces
    creases: np.ndarray
    """Where wrinkles lie (pretrain_synthetic.heads.wrinkles)."""

    @classmethod
    def open(
        cls, assets: Assets, size: int, supersample: int, lights: int, device: int = 0
    ) -> "Studio":
        """With a renderer of its own."""
        renderer = Renderer(size, supersample, lights, device=device)
        places = LandmarkPlaces.on(assets)
        return cls(assets, renderer, places, wrinkle_map(places.uv(assets)))

    def views(
        self, seed: int, index: int, wanted: Collection[int] = range(VIEW_COUNT)
    ) -> Iterator[View]:
        """The wanted of twelve views of person number index: six expressions, two views each.

        Light and backdrop stay; the same seed gives the same views, however many are wanted.
        """
        rng, assets = np.random.default_rng([seed, index]), self.assets
        person = self.invite(rng)
        at_rest = self.places.points(assets, person.neutral)
        portrait = sample_crop_camera(rng, at_rest, frontal=True)
        backdrop = sample_backdrop(rng, person.light, portrait, self.renderer.size)
        expressions, loose = sample_expressions(rng, assets), rng.random() < LOOSE_SHARE
        for k, (amounts, kinds) in enumerate(zip(expressions, VIEWS, strict=True)):
            points = self.pose(person, amounts)
            for number, kind in enumerate(kinds, 2 * k):
                turn = sample_turn(rng, kind == TURNED, loose)
                turned = points @ turn.matrix()[:3, :3].T + turn.matrix()[:3, 3]
                if kind == ORBIT:
                    camera = sample_crop_camera(rng, turned, frontal=False)
                else:
                    camera = follow(rng, portrait, turned)
                if number in wanted:
                    yield self.shot(points, amounts, camera, backdrop, turn)
        self.dismiss()

    def invite(self, rng: np.random.Generator) -> Person:
        """A random person in random light."""
        identity, hat = sample_identity(rng, self.assets), sample_hat(rng)
        look = sample_look(rng, self.assets, identity, grown_only=hat is not None)
        neutral = neutral_vertices(self.assets, identity)
        landmarks = self.places.points(self.assets, neutral)
        crown = None if hat is None else crown_of(hat, self.assets.body, neutral, landmarks)
        worn = grown_hair(rng, self.assets, look.cut, neutral, crown)
        frame = sample_frame(rng)
        if frame is not None:
            worn += glasses(frame, neutral, landmarks)
        if hat is not None:
            worn += hat_meshes(hat, crown)
        light = sample_light(rng, self.assets)
        self.renderer.set_light(light)
        return Person(identity, look, neutral, worn, light)

    def pose(self, person: Person, amounts: np.ndarray) -> np.ndarray:
        """Landmarks (478, 3) of the person with expression (52,), who is now what is drawn."""
        posed = posed_vertices(self.assets, person.identity, person.neutral, amounts)
        meshes = build_meshes(self.assets, person.look, person.neutral, posed) + person.worn
        masks = self.assets.texture("body_masks")
        amounts_of_creases = wrinkle_amounts(self.assets.arkit_names, amounts, person.identity.age)
        skin = replace(person.look.skin, creases=self.creases, crease_amounts=amounts_of_creases)
        self.renderer.set_meshes(meshes, masks, skin)
        return self.places.points(self.assets, posed)

    def shot(
        self,
        points: np.ndarray,
        amounts: np.ndarray,
        camera: Camera,
        backdrop: np.ndarray,
        turn: HeadTurn,
    ) -> View:
        """A picture of whoever is posed, with landmarks (478, 3) and expression (52,)."""
        view = camera.view @ turn.matrix()
        to_arkit = [self.assets.arkit_names.index(name) for name in ARKIT_NAMES]
        return View(
            self.renderer.render(camera, backdrop, turn),
            project(points, view, camera.fov),
            float(-(view[2, :3] @ points[NOSE_TIP] + view[2, 3])),
            amounts[to_arkit],
            view,
        )

    def dismiss(self) -> None:
        """Free what the last person's pictures took."""
        self.renderer.forget_textures([self.assets.texture("body_masks"), self.creases])

    def film(self, seed: int, index: int) -> TrackedClip:
        """The views of a person as a clip of a shard."""
        frames = [view.encoded() for view in self.views(seed, index)]
        return TrackedClip(f"synthetic_{seed}_{index:05d}", "synthetic", frames)


def sample_expressions(rng: np.random.Generator, assets: Assets) -> list[np.ndarray]:
    """Six (52,) that cover what people do: see EXPRESSIONS."""
    right, up = rng.uniform(-1, 1, 2) * (1, 0.8)
    return [
        expression(assets),
        expression(
            assets,
            jawOpen=rng.uniform(0.35, 1),
            mouthSmile=rng.choice([0, 0.4]),
            mouthFunnel=rng.choice([0, 0.3]),
        ),
        expression(assets, eyeBlink=rng.uniform(0.7, 1)),
        expression(
            assets,
            mouthSmile=rng.uniform(0.5, 1),
            cheekSquint=0.4,
            mouthUpperUp=rng.uniform(0, 0.4),
            jawOpen=rng.uniform(0, 0.2),
        ),
        gaze(assets, right, up) + expression(assets, browInnerUp=rng.uniform(0, 0.8)),
        sample_expression(rng, assets),
    ]
