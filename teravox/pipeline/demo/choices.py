"""What a demo can be of: what is drawn, and the pipeline file that is run on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

from teravox.pipeline.box import Vec
from teravox.pipeline.demo.examples import read_example

if TYPE_CHECKING:
    from teravox.kernels.synthetic.drawn import Drawn

Data = Literal["brain", "beads", "fibres"]

_TRUTH = """
[[step]]
name = "truth"             # what was drawn
do = "create"
after = []
source = "truth.npy"
dest = "{{out}}/truth"
type = "segmentation"
axes = "zyx"
resolution = "{{resolution}}"
chunk_size = [64, 64, 64]

[[step]]
name = "quality"
do = "evaluate"
after = ["{bodies}", "truth"]
a = "{{out}}/truth"
b = "{{out}}/bodies"
dest = "{{out}}/quality"
"""


class Choice(NamedTuple):
    """One of them."""

    size: Vec  # if nobody says another one
    image: str  # the name of its file
    example: str  # the pipeline file
    settings: Mapping[str, str] = {}  # what its variables are in a demo
    bodies: str = ""  # the step that makes them, where the file does not compare them with the truth itself


CHOICES: dict[Data, Choice] = {
    "brain": Choice((320, 320, 256), "em.tif", "em_to_scene.toml"),
    "beads": Choice(
        (256, 256, 160),
        "ct.tif",
        "microct_beads.toml",
        {"source": "ct.tif", "out": ".", "shape": "128,128,192", "halo": "36,36,36"},
        "beads",
    ),
    "fibres": Choice((256, 256, 160), "ct.tif", "fibres.toml", {"source": "ct.tif", "out": "."}, "fibres"),
}


def find_generator(data: Data) -> Callable[[Vec, Vec, Vec, int], Drawn]:
    """The function that draws a box of a volume."""
    from teravox.kernels.synthetic.beads import draw_beads
    from teravox.kernels.synthetic.fibres import draw_fibres
    from teravox.kernels.synthetic.neurites import draw_neurites

    generators: dict[Data, Callable[[Vec, Vec, Vec, int], Drawn]] = {
        "brain": draw_neurites,
        "beads": draw_beads,
        "fibres": draw_fibres,
    }
    return generators[data]


def pipeline_of(choice: Choice) -> bytes:
    """The example file as it stands in the folder of a demo: for its image, and with a comparison with the truth."""
    text = read_example(choice.example).decode()
    for name, value in choice.settings.items():
        text, changed = re.subn(rf'^{name} = ".*?"', f'{name} = "{value}"', text, count=1, flags=re.MULTILINE)
        if not changed:
            raise LookupError(f"{choice.example} has no variable {name}")
    return (text + _TRUTH.format(bodies=choice.bodies) if choice.bodies else text).encode()
