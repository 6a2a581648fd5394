"""The description of a layer as tables on a terminal, for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from teravox.cli.say import plain
from teravox.pipeline.description.description import Description
from teravox.pipeline.description.rows import NUMBERS, Table, history, summary
from teravox.pipeline.description.rows import tables as rows_of

if TYPE_CHECKING:
    from rich.console import RenderableType


def tables(seen: Description) -> Iterator[RenderableType]:
    """Every part of the description that has something to say."""
    from rich.text import Text

    yield Text("\n".join(map(plain, summary(seen))))
    for table in (*rows_of(seen), *history(seen)):
        yield _draw(table)


def _draw(rows: Table) -> RenderableType:
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    table = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for head in rows.heads:
        table.add_column(head, justify="right" if head in NUMBERS else "left", overflow="fold")
    for row in rows.rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    return table
