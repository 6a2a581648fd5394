"""What `create` refuses, before anything is written where it can, and with a sentence that names the way out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from layers.make import files_of, read_layer
from sources import write
from sources.making import CHUNK, NM, create, grey

from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.tasks.create import Create


def test_another_layer_is_not_written_over(tmp_path: Path) -> None:
    create(write.npy(tmp_path, grey()), tmp_path / "out")
    before = files_of(str(tmp_path / "out"))
    with pytest.raises(BadUsage, match="is a layer already, and differs"):
        Create(str(write.npy(tmp_path, grey(dtype="uint8"))), str(tmp_path / "out"), resolution=NM).prepare()
    assert files_of(str(tmp_path / "out")) == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"resolution": None}, r"--resolution: .*a.npy does not say how large its voxels are: give their size"),
        ({"resolution": (4, 0, 4)}, "--resolution: expected three numbers above 0"),
        ({"chunk_size": (0, 8, 8)}, "--chunk-size"),
        ({"axes": "zy"}, r"--axes: .* has 3 axes, of 20 x 33 x 45; 'zy' names 2"),
        ({"axes": "zxx"}, "--axes: expected x, y and any of z, c, t, each once"),
        ({"axes": "zcw"}, "--axes: expected x, y"),
        ({"axes": "tyx"}, "has 20 time points: say --time 0 to --time 19"),
        ({"axes": "tyx", "time": 20}, "--time: .* has time points 0 to 19, got 20"),
        ({"time": 0}, "--time: .* has no axis of time"),
        ({"dataset": "raw"}, "--dataset: means nothing for a .npy file"),
        ({"mip": 1}, "--mip: means nothing for a .npy file"),
        ({"missing_slices": "blank"}, "--missing-slices: means nothing for a .npy file"),
        ({"fill_missing": True}, "--fill-missing: means nothing for a .npy file"),
        ({"bounds": Box((99, 0, 0), (100, 9, 9))}, "--bounds: .* lies outside of"),
        ({"encoding": "jpeg"}, "jpeg encodes uint8, and this layer holds uint16"),
        ({"encoding": "compressed_segmentation"}, "compressed_segmentation encodes uint32, uint64"),
        ({"encoding": "raw", "encoding_level": 3}, "--encoding-level: raw has none"),
        ({"compress_level": 3}, "--compress-level: means nothing without --compress"),
        ({"compress": "none", "compress_level": 3}, "--compress-level: means nothing with --compress none"),
        ({"sharded": True, "compress": "br"}, "--compress: shards can be packed with gzip or not at all"),
        ({"shape": (15, 16, 8)}, "--shape: pieces must be multiples of 16,16,8"),
        ({"memory_limit": 1000}, "--memory: a piece of 16,16,8 voxels needs .* are allowed"),
    ],
)
def test_nonsense_is_refused_before_anything_is_written(tmp_path: Path, options: dict[str, Any], words: str) -> None:
    src = write.npy(tmp_path, grey())
    with pytest.raises(BadUsage, match=words):
        create(src, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_an_encoding_that_is_none_is_no_job() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"source": "a.npy", "dest": "b", "encoding": "nonsense"}, Create)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadUsage, match="there is nothing at"):
        create(tmp_path / "none.npy", tmp_path / "out")
    (tmp_path / "a.doc").write_text("x")
    with pytest.raises(BadUsage, match="its ending says no format that can be read"):
        create(tmp_path / "a.doc", tmp_path / "out")
    with pytest.raises(BadInput, match=r"has no slices: no file there ends in \.tif"):
        create(tmp_path, tmp_path.parent / "out")


def test_a_source_is_never_written_to(tmp_path: Path) -> None:
    folder = write.slices(tmp_path, grey())
    layer = write.precomputed(tmp_path, grey())
    link = tmp_path / "link"
    link.symlink_to(layer)
    for src, dest in (
        *((folder, folder), (folder, folder / "layer"), (layer, layer), (layer, layer / "copy")),
        *((link, layer), (layer, link)),
    ):
        before = files_of(str(src))
        with pytest.raises(BadUsage, match="sources are never written to"):
            create(src, dest)
        assert files_of(str(src)) == before


def test_an_array_of_four_axes_without_names_needs_them(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((2, 3, 4, 5), np.uint8))
    with pytest.raises(BadUsage, match=r"has 4 axes, of 2 x 3 x 4 x 5, without names: say --axes"):
        create(tmp_path / "a.npy", tmp_path / "out")


@pytest.mark.parametrize(
    ("values", "data_type", "made"),
    [
        ([0.0, 1.4, 1.6, -0.4], "uint8", [0, 1, 2, 0]),
        ([0.5, 3e38], "float32", [0.5, 3e38]),
        (np.array([0, 7, 255], np.uint64), "uint8", [0, 7, 255]),
        (np.array([0, 7], np.int64), "uint64", [0, 7]),
        (np.array([-3, 7], np.int8), "float32", [-3, 7]),
    ],
)
def test_values_are_cast_when_asked(tmp_path: Path, values: Any, data_type: str, made: list[float]) -> None:
    np.save(tmp_path / "a.npy", np.asarray(values).reshape(1, 1, -1))
    create(tmp_path / "a.npy", tmp_path / "out", data_type=data_type)
    found = read_layer(str(tmp_path / "out"), 0)
    assert found.dtype == data_type
    assert np.array_equal(found.ravel(), np.array(made, data_type))


@pytest.mark.parametrize(
    ("values", "data_type", "words"),
    [
        ([0.0, 255.6], "uint8", "the value 256 does not fit uint8; choose another --data-type"),
        ([np.nan, 1.0], "uint8", "values that are not finite do not fit uint8"),
        (np.array([0, 300], np.uint16), "uint8", "the value 300 does not fit uint8"),
        (np.array([-1, 3], np.int64), "uint64", "the value -1 does not fit uint64"),
        ([1e39], "float32", r"the value 1e\+39 does not fit float32"),
    ],
)
def test_values_that_do_not_fit_are_refused(tmp_path: Path, values: Any, data_type: str, words: str) -> None:
    np.save(tmp_path / "a.npy", np.asarray(values).reshape(1, 1, -1))
    with pytest.raises(BadInput, match=words):
        create(tmp_path / "a.npy", tmp_path / "out", data_type=data_type)


@pytest.mark.parametrize(("dtype", "words"), [("f8", "--data-type: .* holds float64"), ("c8", "complex64")])
def test_data_types_that_layers_do_not_have_are_refused(tmp_path: Path, dtype: str, words: str) -> None:
    np.save(tmp_path / "a.npy", np.zeros((2, 3, 4), dtype))
    with pytest.raises(BadUsage, match=words):
        create(tmp_path / "a.npy", tmp_path / "out")


def test_a_source_that_changed_is_noticed(tmp_path: Path) -> None:
    job = Create(str(write.npy(tmp_path, grey())), str(tmp_path / "out"), resolution=NM, chunk_size=CHUNK)
    job.prepare()
    piece = job.pieces()[0]
    write.npy(tmp_path, grey((45, 33, 21)))
    with pytest.raises(BadInput, match="has changed since: make the job anew"):
        job.run(piece)
