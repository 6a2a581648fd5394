"""Reads a page as a program sees it: its tables, its texts, and what it points to."""

from __future__ import annotations

from html.parser import HTMLParser


class Parsed(HTMLParser):
    """The tables of a page by their captions, the text of its sections, and all its tags and attributes."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: dict[str, list[list[str]]] = {}
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.sections: dict[str, str] = {}
        self.titles: list[str] = []  # of the page, and of the marks in its plots
        self.text = ""
        self._section = ""
        self._caption = ""
        self._into: str | None = None
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        said = [(name, value or "") for name, value in attrs]
        self.attributes += said
        if tag == "section":
            self._section = dict(said)["id"]
            self.sections[self._section] = ""
        if tag == "caption":
            self._caption, self._into = "", "caption"
        if tag == "tr":
            self.tables[self._caption].append([])
        if tag == "title":
            self.titles.append("")
            self._into = "title"
        if tag in ("th", "td"):
            self.tables[self._caption][-1].append("")
            self._into = "cell"

    def handle_endtag(self, tag: str) -> None:
        if tag == "caption":
            self.tables[self._caption] = []
        if tag in ("caption", "title", "th", "td"):
            self._into = None
        if tag == "section":
            self._section = ""

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._section:
            self.sections[self._section] += data
        if self._into == "caption":
            self._caption += data
        elif self._into == "title":
            self.titles[-1] += data
        elif self._into == "cell":
            self.tables[self._caption][-1][-1] += data
