"""The labels that a condition keeps, in a file beside the layer that gets them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from teravox.pipeline.bundle import pack_bundle, read_bundle, read_head
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.label_tables.table import LabelTable
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.selection.condition import Condition, parse_condition
from teravox.pipeline.store import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Labels = NDArray[np.uint64]  # ascending

REMEDY = "Run image select again"


def read_condition(text: str) -> Condition:
    """What --where says; BadUsage says what is wrong with it."""
    try:
        return parse_condition(text)
    except ValueError as error:
        raise BadUsage(f"--where: {error}") from None


def choose_labels(source: Layer, mip: int, condition: Condition) -> Labels:
    """The labels that a condition keeps, without the background; BadInput or BadUsage where the table cannot say."""
    import numpy as np

    table = LabelTable.open(source, mip)
    for name in condition.columns:
        if name not in table.index.columns:
            raise BadUsage(
                f"--where: the labels of {source.place(mip)} have no column {name!r} (they have "
                f"{', '.join(table.index.columns)}); see teravox image count --help for more"
            )
    kept = [np.empty(0, np.uint64)]
    for group in table.index.groups:
        columns = table.read(group, tuple(dict.fromkeys(("label", *condition.columns))))
        labels = columns["label"]
        kept.append(labels[condition.holds(columns) & (labels > 0)])
    return np.concatenate(kept)


def kept_key(mip: int, where: str) -> str:
    """Where they are kept, within the layer that gets them."""
    return f"select/{hashlib.sha256(f'{mip} {where}'.encode()).hexdigest()[:16]}"


def write_kept(store: Store, key: str, labels: Labels) -> None:
    store.put(key, pack_bundle({}, {"labels": labels}))


def read_kept(store: Store, key: str) -> Labels:
    return read_bundle(store, key, REMEDY).get("labels")


def count_kept(store: Store, key: str) -> int:
    """How many there are; 0 where nobody has looked yet."""
    return read_head(store, key, REMEDY).length("labels") if store.get_range(key, 0, 1) is not None else 0
