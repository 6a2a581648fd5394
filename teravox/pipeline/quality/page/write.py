"""The whole page."""

from __future__ import annotations

from teravox.pipeline.quality.measure import Quality
from teravox.pipeline.quality.page.about import draw_about, draw_head
from teravox.pipeline.quality.page.costs import draw_bytes, draw_costs
from teravox.pipeline.quality.page.frame import frame_page
from teravox.pipeline.quality.page.labels import draw_seams, draw_sizes
from teravox.pipeline.quality.page.markup import element, join
from teravox.pipeline.quality.page.pictures import draw_coverage, draw_thumbnails
from teravox.pipeline.quality.page.verified import draw_verified

SECTIONS = {
    "about": ("What it is", draw_about),
    "thumbnails": ("Slices", draw_thumbnails),
    "coverage": ("Coverage", draw_coverage),
    "sizes": ("Label sizes", draw_sizes),
    "seams": ("Seams", draw_seams),
    "bytes": ("Storage", draw_bytes),
    "costs": ("Costs", draw_costs),
    "verified": ("Verification", draw_verified),
}


def write_page(seen: Quality) -> bytes:
    """One file of HTML with its pictures, plots and style in it."""
    links = (element("li", element("a", title, href=f"#{id}")) for id, (title, _) in SECTIONS.items())
    body = join(
        [
            draw_head(seen),
            element("nav", element("ul", *links), aria_label="Sections"),
            element("main", *(draw(seen) for _, draw in SECTIONS.values())),
        ],
        "\n",
    )
    return frame_page(f"Report of {seen.description.url}", body)
