"""The sections of pictures: slices of each mip, and which chunks are there."""

from __future__ import annotations

from collections.abc import Iterator

from teravox.pipeline.quality.measure import Quality
from teravox.pipeline.quality.page.markup import Markup, element, figure, picture, remarks, section
from teravox.pipeline.quality.page.say import say_share
from teravox.pipeline.quality.stored import PLANES, MipStored, Shares, say_stored
from teravox.pipeline.quality.thumbnails import SIDE, Thumbnail

MOST_CELLS = 200  # of a map, along each axis
SLICE, MAP, MAP_WITHOUT_HOLES = 330, 230, 96  # pixels of the longest side of a picture
LEAST = 24  # pixels, so that a thin volume is seen at all


def draw_thumbnails(seen: Quality) -> Markup:
    colors = "each label in a color of its own" if seen.sizes is not None else "gray values stretched to what there is"
    first = "" if seen.description.num_channels == 1 else ", of the first channel"
    lead = (
        f"Slices through the middle of each mip, up to {SIDE} voxels wide, {colors}{first}; "
        "one that is smaller than the volume is cut out of its middle, and missing chunks are black."
    )
    rows = [_row(mip, some) for mip, some in enumerate(seen.thumbnails)]
    return section("thumbnails", "Slices", lead, *rows, remarks(seen.absent.get("thumbnails", ())))


def _row(mip: int, thumbnails: tuple[Thumbnail, ...]) -> Markup:
    longest = max(max(one.width, one.height) for one in thumbnails)
    return element(
        "div", element("h3", f"Mip {mip}"), *(_slice(mip, one, longest) for one in thumbnails), class_="pictures"
    )


def _slice(mip: int, one: Thumbnail, longest: float) -> Markup:
    axis = next(axis for axis in "xyz" if axis not in one.plane)
    at = one.box.min["xyz".index(axis)]
    size = " x ".join(f"{one.box.size['xyz'.index(axis)]:,}" for axis in one.plane)
    if one.trouble is not None:
        return figure(element("p", one.trouble, class_="remark"), f"{one.plane} at {axis} = {at:,}")
    alt = f"Slice of mip {mip} along {one.plane[0]} and {one.plane[1]} at {axis} = {at:,}, {size} voxels"
    shown = picture(one.png, alt, *_fit(one.width, one.height, longest))
    return figure(shown, f"{one.plane} at {axis} = {at:,}; {size}")


def draw_coverage(seen: Quality) -> Markup:
    lead = (
        "Which chunks are there, by a listing of all objects: each map looks through the volume along one axis, and a point "
        "is a column of chunks, or several where there are many."
    )
    legend = element(
        "ul",
        element("li", "all there", class_="here"),
        element("li", "some missing", class_="partly"),
        element("li", "all missing", class_="gone"),
        class_="legend",
    )
    rows = [_maps(seen, stored, shares) for stored, shares in zip(seen.stored, seen.coverage, strict=True)]
    told = [*seen.absent.get("coverage", ()), *(said for stored in seen.stored for said in say_stored(stored))]
    return section("coverage", "Coverage", lead, *([legend] if rows else []), *rows, remarks(told))


def _maps(seen: Quality, stored: MipStored, shares: Shares) -> Markup:
    mip = seen.description.mips[stored.mip]
    extent = dict(zip("xyz", (n * step for n, step in zip(mip.size, mip.resolution, strict=True)), strict=True))
    if stored.there is None:
        told = f"{stored.objects:,} shards"
    else:
        missing = stored.expected - stored.there
        told = f"all {stored.expected:,} chunks are there"
        if missing:
            share = say_share(missing / stored.expected)
            told = f"{stored.there:,} of {stored.expected:,} chunks are there; missing: {missing:,} ({share})"
    maps = _each(stored.mip, shares, extent)
    return element("div", element("h3", f"Mip {stored.mip}: {told}"), *maps, class_="pictures")


def _each(mip: int, shares: Shares, extent: dict[str, float]) -> Iterator[Markup]:
    from teravox.kernels.quality.paint import paint_coverage
    from teravox.kernels.quality.shrink import shrink
    from teravox.pipeline.layers.codecs.png import encode_png

    for plane in PLANES:
        whole = shares[plane]
        colors = paint_coverage(shrink(whole, MOST_CELLS))
        png = encode_png(colors.transpose(1, 0, 2)[:, :, None, :], 9)
        holes = int((whole < 1).sum())
        alt = f"Map of mip {mip} along {plane[0]} and {plane[1]}: {holes:,} of {whole.size:,} columns have holes"
        width, height = extent[plane[0]], extent[plane[1]]
        shown = MAP if any((share < 1).any() for share in shares.values()) else MAP_WITHOUT_HOLES
        size = (max(shown * one / max(width, height), LEAST) for one in (width, height))
        told = f"{holes:,} of {whole.size:,} columns have holes" if holes else "no holes"
        yield figure(picture(png, alt, *size), f"{plane}; {told}")


def _fit(width: float, height: float, longest: float) -> tuple[float, float]:
    """Pixels for a slice of these nanometres, where the longest side of all has the most."""
    return max(LEAST, SLICE * width / longest), max(LEAST, SLICE * height / longest)
