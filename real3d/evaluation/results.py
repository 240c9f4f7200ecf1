"""All that was measured, as it goes into the report and into numbers.json."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from real3d.evaluation import tables
from real3d.evaluation.protocol import CROSS, EDITS, ORBITS, SELF, SEVERAL, TITLES, VIEWS
from real3d.evaluation.store import Item


@dataclass(frozen=True)
class Results:
    """Results of each part by file, in the order of the manifest."""

    parts: dict[str, dict[Path, object]]
    refused: list[str] = field(default_factory=list)
    """Why files were refused, each reason once."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Part to the time its files took, wherever and whenever they were measured."""

    @classmethod
    def of(cls, items: dict[str, dict[Path, Item]]) -> "Results":
        """Part, then file, to what came of it."""
        parts = {
            part: {path: item.result for path, item in found.items() if item.result is not None}
            for part, found in items.items()
        }
        every = [item for found in items.values() for item in found.values()]
        refused = list(dict.fromkeys(item.refused for item in every if item.refused))
        seconds = {part: sum(i.seconds for i in found.values()) for part, found in items.items()}
        return cls(parts, refused, seconds)

    def of_part(self, part: str) -> list:
        """A part's results."""
        return list(self.parts.get(part, {}).values())

    def means(self) -> dict[str, tables.Table]:
        """Part, then method, then metric, to a mean; parts that have no results are left out."""
        found = {
            SELF: tables.scores_over(self.of_part(SELF)),
            CROSS: tables.cross_over(self.of_part(CROSS)),
            VIEWS: tables.view_means(self.of_part(VIEWS)),
            f"{VIEWS}_landmarks": tables.view_means(self.of_part(VIEWS), "landmark_error_percent"),
            EDITS: tables.edits_over(self.of_part(EDITS)),
            SEVERAL: tables.several_over(self.of_part(SEVERAL)),
            ORBITS: tables.scores_over(self.of_part(ORBITS)),
        }
        return {part: table for part, table in found.items() if table}

    def medians(self) -> dict[str, tables.Table]:
        """The same, medians over clips, sweeps, or pairs of photo and driver."""
        over = tables.median
        found = {
            SELF: tables.scores_over(self.of_part(SELF), over),
            CROSS: tables.cross_over(self.of_part(CROSS), over),
            SEVERAL: tables.several_over(self.of_part(SEVERAL), over),
            ORBITS: tables.scores_over(self.of_part(ORBITS), over),
        }
        return {part: table for part, table in found.items() if table}

    def as_lists(self) -> dict[str, list]:
        """Every result, by the names that numbers.json has for the parts."""
        names = {SELF: "clips"}
        return {names.get(p, p): _dicts(self.of_part(p)) for p in TITLES}


def _dicts(results: Iterable) -> list[dict]:
    return [asdict(result) for result in results]
