"""Commands that only cut a job into tasks and wait for them are light, whatever their tasks load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from layers.make import make_layer, voxels


@pytest.mark.parametrize("words", ["image downsample {}", "image transfer {} {}-new --encoding compresso"])
def test_a_command_that_only_plans_and_waits_does_not_load_numpy(words: str, tmp_path: Path) -> None:
    layer = make_layer(tmp_path / "em", voxels((20, 17, 9), "uint32"), encoding="compressed_segmentation")
    script = (
        "import sys; from teravox.cli.main import main; code = main(sys.argv[1:]); print('numpy' in sys.modules, code)"
    )
    command = [sys.executable, "-c", script, *words.format(layer, layer).split()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False 0"
