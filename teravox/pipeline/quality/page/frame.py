"""What stands around every page that we write: its head, with its style in it."""

from __future__ import annotations

from pathlib import Path

from teravox.pipeline.quality.page.markup import Markup, element, join, words

ALLOWED = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"  # nothing from elsewhere, and no program


def frame_page(title: str, body: Markup) -> bytes:
    """One file of HTML, which needs no other."""
    style = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    head = join(
        [
            Markup('<meta charset="utf-8">'),
            Markup(f'<meta http-equiv="Content-Security-Policy" content="{words(ALLOWED)}">'),
            Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            Markup('<meta name="color-scheme" content="light dark">'),
            element("title", title),
            Markup(f"<style>{style}</style>"),
        ],
        "\n",
    )
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{body}\n</body>\n</html>\n'.encode()
