"""The report: markdown around the tables, and sheets of what the numbers are about."""

from pathlib import Path

from real3d.evaluation import sheets, tables
from real3d.evaluation.cross_reenactment import CrossResult
from real3d.evaluation.edits import EDIT_COLUMNS, EDIT_METHODS
from real3d.evaluation.orbits import ORBIT_STRIP, TARGET_DEG
from real3d.evaluation.protocol import (
    CROSS,
    EDITS,
    ORBITS,
    SELF,
    SEVERAL,
    TITLES,
    VIEWS,
    Protocol,
)
from real3d.evaluation.results import Results
from real3d.evaluation.self_reenactment import STRIP, ClipResult
from real3d.evaluation.several_photos import SEVERAL_STRIP
from real3d.evaluation.store import Store
from real3d.evaluation.subject import OURS
from real3d.evaluation.views import VIEWS_DEG
from real3d.evaluation.worst import ranked, worst_table

_LAYOUT = {SELF: (256, 6), CROSS: (224, 8), VIEWS: (176, 8), EDITS: (176, 5)}
"""Part to the width of a cell in px and the rows of a sheet."""
_OTHER_LAYOUT = (256, 8)
_VIEW_NAMES = [f"yaw {yaw:g}" if not pitch else f"pitch {pitch:g}" for yaw, pitch in VIEWS_DEG]


def write_sheets(out: Path, store: Store, results: Results) -> dict[str, list[str]]:
    """Part to the names of its sheets in a folder, for what there is; the worst come first."""
    written = {}
    for part, found in results.parts.items():
        paths = ranked(results, part)
        cell_px, rows = _LAYOUT.get(part, _OTHER_LAYOUT)
        pages = [paths[k : k + rows] for k in range(0, len(paths), rows)]
        names = []
        for number, page in enumerate(pages, 1):
            names.append(f"{part}.jpg" if number == 1 else f"{part}_{number}.jpg")
            items = [(_label(part, found[p]), store.picture(part, p)) for p in page]
            headings = _headings(part, list(found.values()))
            sheets.write_sheet(out / names[-1], headings, items, cell_px)
        if names:
            written[part] = names
    return written


def _headings(part: str, found: list) -> tuple[str, ...]:
    if part == CROSS:
        return ("photo", *(name for driver in found[0].drivers for name in (driver, OURS)))
    return {
        SELF: STRIP,
        VIEWS: ("photo", *_VIEW_NAMES),
        EDITS: EDIT_COLUMNS,
        SEVERAL: SEVERAL_STRIP,
        ORBITS: ORBIT_STRIP,
    }[part]


def _label(part: str, result) -> str:
    """Lines beside a row of a sheet."""
    lines = [result.name]
    if part == EDITS:
        lines += ["upper row:", EDIT_METHODS[0], "lower row:", EDIT_METHODS[1]]
    elif part == VIEWS:
        means = tables.view_means([result])[OURS]
        lines += [f"±{yaw} {means[f'yaw ±{yaw}']:.2f}" for yaw in (30, 45, 60, 75)]
    elif part == CROSS:
        means = tables.cross_over([result])[OURS]
        lines += [
            f"identity {means['identity']:.2f}",
            f"expression {means['expression_error']:.3f}",
            f"pose {means['pose_error_deg']:.1f}°",
        ]
    elif part == SEVERAL:
        lines += [f"{n}: {scores['psnr_db']:.2f} dB" for n, scores in result.scores.items()]
    else:
        scores = result.scores[OURS]
        lines += [
            f"{scores['psnr_db']:.2f} dB",
            f"landmarks {scores['landmark_error_percent']:.2f} %",
            f"identity {scores['identity_to_source']:.2f}",
        ]
        if part == SELF:
            lines += ["upper row:", "moved most", "lower row:", "lowest PSNR"]
    return "\n".join(lines)


def report(
    header: list[str],
    protocol: Protocol,
    results: Results,
    pictures: dict[str, list[str]],
    plots: dict[str, str],
    baseline: list[str],
) -> str:
    """The markdown. pictures and plots: names of files beside it; baseline: paragraphs."""
    parts = ["# Evaluation", "\n".join(header), _time_table(results), *baseline]
    parts += ["## Worst cases", worst_table(results)]
    sections = {
        SELF: _self_reenactment,
        CROSS: _cross_reenactment,
        VIEWS: _views,
        EDITS: _edits,
        SEVERAL: _several,
        ORBITS: _orbits,
    }
    for part, title in TITLES.items():
        if found := results.of_part(part):
            heading, *body = sections[part](protocol, found)
            parts += [f"## {title}: {heading}", body[0], body[1]]
            parts += _pictures(title, pictures[part])
            parts += body[2:]
    if plots:
        parts += ["## Plots", *(f"![{caption}]({name})" for caption, name in plots.items())]
    if results.refused:
        parts += ["## Refused", "\n".join(f"- {reason}" for reason in results.refused)]
    return "\n\n".join(parts) + "\n"


def _pictures(title: str, names: list[str]) -> list[str]:
    """The first sheet, and links to the others."""
    more = ", ".join(f"[{k}]({name})" for k, name in enumerate(names[1:], 2))
    shown = [f"![{title}, the worst first]({names[0]})"]
    return [*shown, f"Further sheets: {more}."] if more else shown


def _time_table(results: Results) -> str:
    rows = []
    for part, title in TITLES.items():
        count = len(results.parts.get(part, {}))
        if count:
            seconds = results.seconds[part]
            each = tables.number(seconds / count, 1)
            rows.append([title, str(count), tables.number(seconds, 0), each])
    return tables.table(["part", "files", "seconds of work", "seconds a file"], rows)


def _self_reenactment(protocol: Protocol, clips: list[ClipResult]) -> list[str]:
    frames = sum(clip.frames for clip in clips)
    left_out = {
        "showed no face": sum(clip.faceless for clip in clips),
        "came after a cut to somebody else": sum(clip.after_cut for clip in clips),
        "stood before the first face": sum(clip.skipped_frames for clip in clips),
    }
    counts = ", ".join(f"{count} {what}" for what, count in left_out.items())
    sizes = " and ".join(map(str, protocol.sizes))
    return [
        f"{len(clips)} clips, {frames} frames",
        "The avatar is made from the first frame with a face alone; every "
        f"{protocol.every}. frame of the next {protocol.seconds:g} s is compared at "
        f"{sizes} px, where the recording covers it; PSNR and SSIM without a size are at "
        f"{protocol.size} px, and faces are looked at there. Means and medians over clips. "
        f"Frames left out: {counts}. IOD: interocular distance; jitter: second difference of the "
        f"landmarks over the compared frames (the driver's own: "
        f"{tables.number(tables.mean(c.jitter_of_driver_percent for c in clips), 2)}). HED-VGG: "
        "distance of features at 256 px over up to 8 frames a clip, 0 to about 1.",
        tables.self_reenactment_table(clips, protocol.sizes),
        "Three numbers in a cell: copy the source / geometric warp / Real3D.",
        tables.clip_table(clips),
    ]


def _cross_reenactment(protocol: Protocol, stills: list[CrossResult]) -> list[str]:
    pairs = sum(len(still.scores) for still in stills)
    drivers = len({name for still in stills for name in still.scores})
    return [
        f"{len(stills)} photos, {drivers} drivers, {pairs} pairs",
        "A driver's head pose and expression are taken over as they are, at up to 3 frames far "
        "from each other. Identity: SFace cosine to the photo. Expression: mean absolute "
        "difference of 51 coefficients tracked in the driver and in the result. Pose: angle "
        "between the head's rotation asked for and the one fitted to the landmarks of the result.",
        tables.cross_table(stills),
        tables.driver_table(stills),
    ]


def _views(protocol: Protocol, stills: list) -> list[str]:
    return [
        f"{len(stills)} photos",
        "Identity (SFace cosine) between the photo and views counted from facing the camera. "
        "Where the tracker loses the face, the mesh's landmarks align it. Landmarks: mean distance "
        "between those tracked in the view and the mesh's, in % of the photo's interocular "
        "distance.",
        tables.view_table(stills),
    ]


def _edits(protocol: Protocol, stills: list) -> list[str]:
    return [
        f"{len(stills)} photos",
        "Expressions asked of a neutral face beside what the tracker says of the picture, at "
        "rest and with the edit; means over the photos. Motion: share of the mesh's motion that "
        "the tracked landmarks show (the tracker hardly knows cheekPuff).",
        tables.edit_table(stills),
        "Lid gap closed by eyeBlink = 1 (1 is shut), motion of the irises between the eye corners "
        "as a share of the mesh's, and the lip gap of open mouths closed by a neutral expression.",
        tables.eye_table(stills),
    ]


def _several(protocol: Protocol, clips: list) -> list[str]:
    return [
        f"{len(clips)} clips, {sum(clip.targets for clip in clips)} frames",
        "Avatars of 1, 2 and 4 frames spread over a recording, compared on up to 6 others at "
        f"{protocol.size} px.",
        tables.several_table(clips),
    ]


def _orbits(protocol: Protocol, sweeps: list) -> list[str]:
    low, high = TARGET_DEG
    return [
        f"{len(sweeps)} sweeps, {sum(len(sweep.yaws_deg) for sweep in sweeps)} frames",
        f"The avatar is made from the most frontal frame and compared at up to 4 frames at "
        f"{low:g}° to {high:g}° of yaw, at {protocol.size} px.",
        tables.orbit_table(sweeps),
    ]
