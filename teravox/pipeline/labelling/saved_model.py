"""A model of all labels, in a file that `teravox learn predict` takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from teravox.kernels.learning.selection import Selection
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.learning.labels import Labels
from teravox.pipeline.learning.wish import Wish
from teravox.pipeline.storage.atomic_write import write_atomic
from teravox.pipeline.storage.errno_sentences import explain

if TYPE_CHECKING:
    from teravox.kernels.learning.slic_tiles import Supervoxels


def save_model(
    image: Layer, labels: Labels, selection: Selection, how: Supervoxels | None, wish: Wish, output: str
) -> str:
    """Learn from all labels as `teravox learn train` does, write the model, and say how to go on."""
    from teravox.kernels.learning.model import model_to_bytes
    from teravox.pipeline.learning.training import train_model

    model = train_model(image, labels.mip_of(image), labels, selection, wish, supervoxels=how)
    try:
        write_atomic(output, model_to_bytes(model))
    except OSError as error:
        raise explain(error, "write", output) from error
    return f"The model is in {output}. Predict with: teravox learn predict {image.url} DEST --model {output}"
