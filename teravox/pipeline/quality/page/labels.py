"""The sections of labels: how large they are, and whether the tiling shows in them."""

from __future__ import annotations

import math
from collections.abc import Iterator

from teravox.pipeline.quality.label_sizes import LabelSizes
from teravox.pipeline.quality.measure import Quality
from teravox.pipeline.quality.page.markup import Markup, element, figure, join, remarks, section, table
from teravox.pipeline.quality.page.plots import bars, dots
from teravox.pipeline.quality.page.say import has_hits, say_score, say_share, say_verdict
from teravox.pipeline.quality.planes import AXES
from teravox.pipeline.quality.seam import Seam

TITLES = {
    "labels": "Labels that end on borders",
    "mesh edges": "Cracks of meshes: edges that have one face only",
    "mesh vertices": "Vertices of meshes",
    "skeleton ends": "Ends of skeletons",
}


def draw_sizes(seen: Quality) -> Markup:
    sizes = seen.sizes
    if sizes is None:
        lead = "How many voxels labels have."
        return section("sizes", "Label sizes", lead, remarks(seen.absent.get("sizes", ())))
    lead = (
        f"How many voxels labels have, {sizes.source}: {sizes.labels:,} labels, which fill "
        f"{say_share(sizes.voxels / sizes.of)} of the volume."
    )
    inside = [_histogram(sizes), _largest(seen, sizes)] if sizes.labels else []
    return section("sizes", "Label sizes", lead, *inside, remarks(seen.absent.get("sizes", ())))


def _histogram(sizes: LabelSizes) -> Markup:
    first = next(at for at, number in enumerate(sizes.classes) if number)
    classes = sizes.classes[first:]
    names = [_power(first + at) for at in range(len(classes))]
    title = f"Histogram of the sizes of {sizes.labels:,} labels"
    plot = bars(classes, names, title, "voxels of a label, from this number up to twice as many")
    return figure(plot, "Labels by their size; both scales are logarithmic, and numbers are those of labels.")


def _power(exponent: int) -> str:
    """A power of two in few letters: 512, 1Ki, 4Mi."""
    thousands, rest = divmod(exponent, 10)
    return f"{2**rest}{('', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei')[thousands]}"


def _largest(seen: Quality, sizes: LabelSizes) -> Markup:
    mip = seen.description.mips[sizes.mip]
    cubic = math.prod(mip.resolution) / 1e9
    rows = (
        (str(label), f"{voxels:,}", f"{voxels * cubic:,.4g}", say_share(voxels / sizes.of))
        for label, voxels in sizes.largest
    )
    heads = ("label", "voxels", "µm³", "of the volume")
    return table("The largest labels", heads, rows, heads[1:])


def draw_seams(seen: Quality) -> Markup:
    lead = (
        "Whether one sees in the result that it was made in pieces: what is found on the borders between pieces, against "
        "what is found on planes inside of pieces; a score of about 1 is no seam."
    )
    parts = [_seam(seam) for seam in seen.seams]
    return section("seams", "Seams", lead, *parts, remarks(seen.absent.get("seams", ())))


def _seam(seam: Seam) -> Markup:
    return element(
        "article",
        element("h3", f"{TITLES[seam.what]}: {f'score {say_score(seam.score)}' if has_hits(seam) else 'none'}"),
        element("p", say_verdict(seam)),
        element(
            "p", f"{_measured(seam)} Borders are those of {seam.whose}, at mip {seam.mip}; looked at: {seam.looked_at}."
        ),
        *([element("div", *_plots(seam), class_="pictures"), _axes(seam)] if has_hits(seam) else []),
    )


def _measured(seam: Seam) -> str:
    said = {
        "labels": (
            "Of the pairs of voxels on both sides of a plane of which at least one has a label, the share whose labels "
            "differ."
        ),
        "mesh edges": "The number of edges with one face only, within a voxel of a plane, at the finest level.",
        "mesh vertices": (
            "The number of vertices within a voxel of a plane, at the finest level; more of them on borders are small "
            "triangles, and no cracks."
        ),
        "skeleton ends": "The number of ends of skeletons within a voxel of a plane.",
    }[seam.what]
    if seam.elsewhere is not None:
        said += f" Near none of the planes there are {seam.elsewhere:,} more."
    return said


def _plots(seam: Seam) -> Iterator[Markup]:
    is_share = seam.what == "labels"
    for axis, name in enumerate(AXES):
        points = [(float(one.at), one.share, one.is_border) for one in seam.figures if one.axis == axis and one.of]
        if not points:
            continue
        title = f"{TITLES[seam.what]}, plane by plane across {name}"
        plot = dots(points, title, f"{name}, voxels of mip {seam.mip}", is_share=is_share)
        legend = join(
            [element("span", "border", class_="border"), element("span", "inside of a piece", class_="inside")], " "
        )
        yield figure(plot, join([f"Planes across {name}: ", legend]))


def _axes(seam: Seam) -> Markup:
    rows = []
    for axis, name in enumerate(AXES):
        cells = [name]
        for is_border in (True, False):
            some = [one for one in seam.figures if one.axis == axis and one.is_border == is_border]
            hits, of = sum(one.hits for one in some), sum(one.of for one in some)
            mean = hits / of if of else None
            said = "none" if mean is None else say_share(mean) if seam.what == "labels" else f"{mean:,.4g}"
            cells += [f"{len(some):,}", f"{hits:,}", said]
        rows.append(cells)
    share = "share" if seam.what == "labels" else "for each"
    heads = ("axis", "borders", "found", f"{share}", "planes inside", "found there", f"{share} there")
    return table("The same figures by axis", heads, rows, heads[1:])
