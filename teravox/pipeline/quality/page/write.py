"""The whole page."""

from __future__ import annotations

from pathlib import Path

from teravox.pipeline.quality.measure import Quality
from teravox.pipeline.quality.page.about import draw_about, draw_head
from teravox.pipeline.quality.page.costs import draw_bytes, draw_costs
from teravox.pipeline.quality.page.labels import draw_seams, draw_sizes
from teravox.pipeline.quality.page.markup import Markup, element, join, words
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
ALLOWED = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"  # nothing from elsewhere, and no program


def write_page(seen: Quality) -> bytes:
    """One file of HTML with its pictures, plots and style in it."""
    style = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    links = (element("li", element("a", title, href=f"#{id}")) for id, (title, _) in SECTIONS.items())
    body = join(
        [
            draw_head(seen),
            element("nav", element("ul", *links), aria_label="Sections"),
            element("main", *(draw(seen) for _, draw in SECTIONS.values())),
        ],
        "\n",
    )
    head = join(
        [
            Markup('<meta charset="utf-8">'),
            Markup(f'<meta http-equiv="Content-Security-Policy" content="{words(ALLOWED)}">'),
            Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            Markup('<meta name="color-scheme" content="light dark">'),
            element("title", f"Report of {seen.description.url}"),
            Markup(f"<style>{style}</style>"),
        ],
        "\n",
    )
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{body}\n</body>\n</html>\n'.encode()
