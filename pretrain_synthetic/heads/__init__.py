"""Synthetic human heads: random people, expressions, hair, clothes and light, with exact labels.

Conventions of this package
---------------------------
Head frame   origin at the midpoint of the two eyeball centres of the neutral face; x to the
             subject's left, y up, z out of the face. Right-handed. The head never moves in it:
             head pose is expressed by the camera.
Camera       OpenGL view matrix (x right, y up, z towards the viewer) and a square field of view.
Units        decimetres (the unit of the MakeHuman mesh); radians unless a name ends in _deg.
Pictures     rows from the top; RGB uint8, display-referred (gamma 2.2).
"""

PARTS = ("background", "hair", "face", "body", "clothes", "eyes", "mouth")
"""Part label = index. hair: hair and hats; face: facial skin, brows, lashes, ears, scalp, beard;
body: neck and below; eyes: visible eyeball; mouth: teeth, tongue, inner mouth."""
