"""A network in a file of the Open Neural Network Exchange, run on the processor, a patch at a time."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.segmentation.step_file import StepFile

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Activation = Literal["none", "sigmoid", "softmax"]
Floats = NDArray[np.float32]

LOADING = 3  # times the bytes of its file that a network takes until it is ready, as measured; the file is one of them


class Network:
    """Takes patches of z, y, x and channel, and gives patches of as many channels as it has."""

    def __init__(self, model: StepFile, threads: int) -> None:
        self._session = _session(model, threads)
        self._name = self._session.get_inputs()[0].name
        self._axes = len(self._session.get_inputs()[0].shape)
        if len(self._session.get_inputs()) != 1 or self._axes not in (4, 5):
            raise ValueError(
                f"{model.name} takes {len(self._session.get_inputs())} inputs, the first one of {self._axes} axes: "
                "networks of one input are run, with the axes batch, channel, z, y, x or batch, channel, y, x"
            )

    def run(self, patch: Floats, activation: Activation) -> Floats:
        """What the network makes of a patch, after an activation over its channels."""
        slices = self._axes == 4  # which are the batch
        given = patch.transpose(0, 3, 1, 2) if slices else patch.transpose(3, 0, 1, 2)[np.newaxis]
        made = self._session.run(None, {self._name: np.ascontiguousarray(given)})[0]
        if not isinstance(made, np.ndarray) or made.ndim != self._axes:
            raise ValueError(f"the network takes {self._axes} axes, but does not give as many")
        found: Floats = made.transpose(0, 2, 3, 1) if slices else made[0].transpose(1, 2, 3, 0)
        return _activated(found.astype(np.float32, copy=False), activation)


@lru_cache(maxsize=2)
def _session(model: StepFile, threads: int) -> InferenceSession:
    """A model that is ready to run; the next block of this process needs it again."""
    onnxruntime = _onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # which would keep the most that was ever needed
    session: InferenceSession = onnxruntime.InferenceSession(model.read(), options, providers=["CPUExecutionProvider"])
    return session


def _onnxruntime() -> Any:  # Any: a module
    try:
        import onnxruntime
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError(
            "ONNX models need onnxruntime, which is not installed. Install it with: pip install 'teravox[onnx]'"
        ) from missing
    return onnxruntime


def _activated(found: Floats, activation: Activation) -> Floats:
    if activation == "none":
        return found
    if activation == "sigmoid":
        with np.errstate(over="ignore"):  # of exp, where the result is 0
            return np.float32(1) / (np.float32(1) + np.exp(-found))
    powers = np.exp(found - found.max(axis=-1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=-1, keepdims=True)
    return shares
