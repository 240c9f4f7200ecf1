"""The template head that is shipped: are its landmarks, lids and shapes what their names say?"""

import pytest
import torch
from mediapipe.tasks.python.vision import FaceLandmarksConnections

from real3d.face.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from real3d.face.template import LEFT_EYE, RIGHT_EYE, SKIN, SKIN_LANDMARKS, TONGUE, Template

TWINS = {33: 263, 133: 362, 159: 386, 145: 374, 61: 291, 105: 334, 70: 300, 50: 280, 234: 454}
TWINS |= {93: 323, 110: 339, 223: 443, 29: 259, 468: 473, 10: 10, 1: 1, 13: 13, 14: 14, 152: 152}
"""Landmarks of the right side, to the left side's; those of the middle to themselves."""
LIDS = {"Left": ((386, 385, 387), (374, 380, 373)), "Right": ((159, 158, 160), (145, 153, 144))}
DIRECTIONS = {"jawLeft": 152, "mouthLeft": 13}
"""Shapes that move towards the left, and the landmark that shows it."""
SIDED = [
    name
    for name in ARKIT_NAMES
    if name.endswith(("Left", "Right")) and name.replace("Right", "Left") not in DIRECTIONS
]


@pytest.fixture(scope="module")
def head() -> Template:
    return Template()


def _landmarks(head: Template, **amounts: float) -> torch.Tensor:
    """(478, 3) of the mean head with an expression."""
    coefficients = torch.zeros(1, len(ARKIT_NAMES))
    for name, amount in amounts.items():
        coefficients[0, ARKIT_INDEX[name]] = amount
    return head.posed_landmarks(head.posed(torch.zeros(1, 478, 3), coefficients))[0]


def test_landmarks_lie_on_their_layers(head):
    layer = head.vertex_layer[head.landmark_vertices]
    assert (layer[:SKIN_LANDMARKS] == SKIN).all()
    assert (layer[SKIN_LANDMARKS : SKIN_LANDMARKS + 5] == RIGHT_EYE).all()
    assert (layer[SKIN_LANDMARKS + 5 :] == LEFT_EYE).all()
    torch.testing.assert_close(head.landmark_weights.sum(1), torch.ones(478))
    assert (head.landmark_weights >= 0).all()


def test_landmarks_have_their_anatomical_order(head):
    x, y, z = head.landmarks.T
    assert y[10] < y[168] < y[4] < y[13] <= y[14] < y[152]  # forehead, nose, lips, chin: y is down
    assert x[234] < x[33] < x[133] < 0 < x[362] < x[263] < x[454]  # the left is the image's right
    assert z[4] == z[:SKIN_LANDMARKS].min()  # the tip of the nose is nearest
    for iris, lids in ((468, LIDS["Right"]), (473, LIDS["Left"])):
        upper, lower = (y[list(side)].mean() for side in lids)
        assert upper < y[iris] < lower


def test_left_and_right_mirror_each_other(head):
    mirrored = head.landmarks * torch.tensor([-1.0, 1, 1])
    away = torch.cdist(mirrored, head.landmarks)
    assert away.min(1).values.max() < 0.05  # 8 mm, where the outline slides over the cheek
    assert away.min(1).values.mean() < 0.01
    for right, left in TWINS.items():
        assert away[right, left] < 0.04, (right, left)


def test_twins_are_neighbours_where_landmarks_are(head):
    """MediaPipe's mesh is itself not symmetric around six landmarks."""
    edges = {(e.start, e.end) for e in FaceLandmarksConnections.FACE_LANDMARKS_TESSELATION}
    edges |= {(b, a) for a, b in edges}
    twins = head.landmark_twins.tolist()
    assert sum((twins[a], twins[b]) not in edges for a, b in edges) <= 12
    for right, left in TWINS.items():
        assert (twins[right], twins[left]) == (left, right)


@pytest.mark.parametrize("side", ["Left", "Right"])
def test_eye_blink_shuts_its_own_eye(head, side):
    other = "Right" if side == "Left" else "Left"

    def gap(landmarks: torch.Tensor, which: str) -> float:
        upper, lower = (landmarks[list(lid), 1].mean() for lid in LIDS[which])
        return float(lower - upper)

    rest, shut = _landmarks(head), _landmarks(head, **{f"eyeBlink{side}": 1.0})
    assert gap(rest, side) > 0.04
    assert -0.2 * gap(rest, side) < gap(shut, side) < 0  # shut, and the lids overlap a little
    assert gap(shut, other) > 0.9 * gap(rest, other)


@pytest.mark.parametrize("name", ARKIT_NAMES[:-1])
def test_every_tracked_shape_moves_the_face(head, name):
    move = head.shapes[ARKIT_INDEX[name]]
    assert move.isfinite().all()
    assert 0.002 < move.norm(dim=-1).max() < 0.5  # 0.3 mm to 8 cm


def test_tongue_out_moves_the_tongue_forward(head):
    move = head.shapes[ARKIT_INDEX["tongueOut"]]
    assert move[head.vertex_layer == TONGUE, 2].min() < -0.1
    assert (move[head.vertex_layer != TONGUE] == 0).all()


@pytest.mark.parametrize("name", SIDED)
def test_a_side_moves_more_than_the_other(head, name):
    moved = head.landmark_shapes()[ARKIT_INDEX[name], :SKIN_LANDMARKS].norm(dim=-1)
    x = head.landmarks[:SKIN_LANDMARKS, 0]
    left, right = moved[x > 0.05].max(), moved[x < -0.05].max()
    own, other = (left, right) if name.endswith("Left") else (right, left)
    assert own > 3 * other


@pytest.mark.parametrize(("name", "landmark"), DIRECTIONS.items())
def test_directions_are_the_persons_own(head, name, landmark):
    for shape, sign in ((name, 1), (name.replace("Left", "Right"), -1)):
        assert sign * (_landmarks(head, **{shape: 1.0}) - _landmarks(head))[landmark, 0] > 0.02


@pytest.mark.parametrize(
    ("name", "landmark", "axis", "sign"),
    [
        ("jawOpen", 152, 1, 1),  # the chin goes down
        ("mouthSmileLeft", 291, 1, -1),  # a corner of the mouth up
        ("mouthFrownRight", 61, 1, 1),  # and down
        ("browInnerUp", 55, 1, -1),
        ("browDownLeft", 285, 1, 1),
        ("jawForward", 152, 2, -1),
        ("mouthPucker", 61, 0, 1),  # the right corner towards the middle
        ("eyeWideRight", 159, 1, -1),  # the upper lid up
        ("noseSneerLeft", 358, 1, -1),
    ],
)
def test_shapes_move_where_their_names_say(head, name, landmark, axis, sign):
    move = (_landmarks(head, **{name: 1.0}) - _landmarks(head))[landmark]
    assert sign * move[axis] > 0.003


def test_gaze_turns_the_iris(head):
    rest = _landmarks(head)
    assert (_landmarks(head, eyeLookOutLeft=1.0) - rest)[473, 0] > 0.02
    assert (_landmarks(head, eyeLookOutRight=1.0) - rest)[468, 0] < -0.02
    assert (_landmarks(head, eyeLookUpLeft=1.0) - rest)[473, 1] < -0.01


def test_firmness_is_whole_in_the_face_and_gone_at_the_back(head):
    assert head.firmness.min() >= 0
    assert head.firmness.max() == 1
    nose = head.landmark_vertices[4]
    assert (head.firmness[nose] == 1).all()
    assert head.firmness[head.vertices[:, 2] > 0.2].max() <= 0.4
