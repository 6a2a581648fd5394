"""Tiny networks in ONNX files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from teravox.kernels.segmentation.step_file import StepFile

Floats = NDArray[np.float32]


def write_network(
    path: Path, weights: Floats, *, keeps_size: bool = True, axes: int = 3, channels: int | None = None, apart: str = ""
) -> StepFile:
    """One convolution, that may say how many channels it gives; `apart` is a file for its weights, beside it."""
    onnx = pytest.importorskip("onnx", reason="makes the networks")
    shape = ["n", "c", *["z", "y", "x"][-axes:]]
    node = onnx.helper.make_node("Conv", ["image", "weights"], ["found"], pads=[int(keeps_size)] * 2 * axes)
    tensor = onnx.helper.make_tensor_value_info
    gives: list[Any] = [None, channels, *[None] * axes]
    graph = onnx.helper.make_graph(
        [node],
        "tiny",
        [tensor("image", onnx.TensorProto.FLOAT, shape)],
        [tensor("found", onnx.TensorProto.FLOAT, gives)],
        [onnx.numpy_helper.from_array(weights, "weights")],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    beside = {"save_as_external_data": True, "location": apart, "size_threshold": 0} if apart else {}
    onnx.save(model, str(path), **beside)
    return StepFile.at(path)
