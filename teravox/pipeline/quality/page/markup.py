"""HTML out of words; whatever is not made here is escaped."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape

from teravox.pipeline.secrets import redact


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Words = str | Markup


def words(text: Words) -> Markup:
    """The text as HTML shows it, without secrets and without characters that cannot be seen."""
    if isinstance(text, Markup):
        return text
    seen = "".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in redact(text))
    return Markup(escape(seen, quote=True))


def join(parts: Iterable[Words], between: str = "") -> Markup:
    return Markup(between.join(map(words, parts)))


def element(name: str, *inside: Words, **attributes: str) -> Markup:
    """`<name attributes>inside</name>`; an attribute's `_` at its end is left out, as in `class_`."""
    said = "".join(f' {key.rstrip("_").replace("_", "-")}="{words(value)}"' for key, value in attributes.items())
    return Markup(f"<{name}{said}>{join(inside)}</{name}>")


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[Words]], numbers: Iterable[str] = ()) -> Markup:
    """A table; columns whose heads are among `numbers` are set to the right."""
    right = {at for at, head in enumerate(heads) if head in set(numbers)}

    def line(cells: Sequence[Words], name: str) -> Markup:
        made = []
        for at, cell in enumerate(cells):
            said = {"class_": "number"} if at in right else {}
            is_first = at == 0 and name == "td"
            scope = {"scope": "col"} if name == "th" else {"scope": "row"} if is_first else {}
            made.append(element("th" if is_first else name, cell, **said, **scope))
        return element("tr", *made)

    head = element("thead", line(heads, "th"))
    body = element("tbody", *(line(row, "td") for row in rows))
    return element("div", element("table", element("caption", caption), head, body), class_="wide")


def picture(png: bytes, alt: str, width: float, height: float) -> Markup:
    """A picture within the page, of a shown size in pixels."""
    source = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    size = f"width:{width:.0f}px;aspect-ratio:{width:.4g}/{height:.4g}"
    return Markup(f'<img src="{source}" alt="{words(alt)}" style="{size}">')


def figure(inside: Words, caption: Words) -> Markup:
    return element("figure", inside, element("figcaption", caption))


def section(id: str, title: str, lead: Words, *inside: Words) -> Markup:
    """A section: its title, one sentence of what it shows, and that."""
    return element(
        "section",
        element("h2", title, id=f"{id}-title"),
        element("p", lead, class_="lead"),
        *inside,
        id=id,
        aria_labelledby=f"{id}-title",
    )


def remarks(sentences: Iterable[str]) -> Markup:
    """What is absent or should be known, a paragraph each."""
    return join(element("p", sentence, class_="remark") for sentence in sentences)
