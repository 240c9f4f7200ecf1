"""What is measured, and how much of it."""

from dataclasses import dataclass

SELF, SEVERAL, CROSS = "self_reenactment", "several_photos", "cross_reenactment"
VIEWS, EDITS, ORBITS = "views", "edits", "orbits"
TITLES = {
    SELF: "Self-reenactment",
    CROSS: "Cross-reenactment",
    VIEWS: "Views",
    EDITS: "Edits",
    SEVERAL: "Several photos of one person",
    ORBITS: "Camera sweeps",
}
"""Parts of the evaluation, in the order of the report."""


@dataclass(frozen=True)
class Protocol:
    """How an evaluation goes; what is spread is spread evenly over the manifest."""

    sizes: tuple[int, ...] = (256, 512)
    """Sides of the pictures compared in self-reenactment, px, rising; the rest uses the first."""
    every: int = 3
    """Every so-manieth frame of a recording is compared."""
    seconds: float = 20.0
    """Of each recording, counted from the frame that makes the avatar."""
    clips: int | None = None
    """At most so many recordings; None for all."""
    stills: int | None = None
    """At most so many photos for edits and views; None for all."""
    cross_stills: int = 20
    """Of these, photos that are driven by other people."""
    drivers: int = 5
    """Recordings that drive them."""
    several: int = 8
    """Recordings of which avatars are made from 1, 2 and 4 frames."""
    orbits: int | None = None
    """At most so many camera sweeps; None for all."""

    @property
    def size(self) -> int:
        """Side of the pictures of all parts but self-reenactment, px."""
        return self.sizes[0]

    def settings(self, part: str) -> dict[str, object]:
        """What the numbers of a part depend on besides files, code and weights."""
        if part == SELF:
            return {"sizes": self.sizes, "every": self.every, "seconds": self.seconds}
        if part in (EDITS, VIEWS, ORBITS):
            return {"sizes": (self.size, self.sizes[-1])}
        return {"size": self.size, "every": self.every, "seconds": self.seconds}
