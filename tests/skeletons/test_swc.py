"""SWC: what is written comes back to the last digit, also through navis, and what is wrong is named by its line."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skeletons.skeletal_layers import BIG, Lines, some_skeletons

from teravox.pipeline.errors import BadInput
from teravox.pipeline.skeletons.skeleton import Skeleton
from teravox.pipeline.skeletons.swc import Unit, encode_swc
from teravox.pipeline.skeletons.swc_reading import Tree, read_swc


def skeleton_of(one: Lines) -> Skeleton:
    return Skeleton(one.vertices, one.edges, dict(one.attributes))


def read(text: str | bytes, unit: Unit | None = None) -> list[Tree]:
    text = text if isinstance(text, str) else text.decode()
    return list(read_swc(text.splitlines(), "a.swc", unit))


def lines_of(skeleton: Skeleton) -> set[frozenset[tuple[float, ...]]]:
    """Edges as pairs of places, radii and types, so that the order of vertices does not matter."""
    types = skeleton.attributes["vertex_types"]
    rows = np.column_stack([skeleton.vertices, skeleton.attributes["radius"], types]).astype(float).tolist()
    return {frozenset((tuple(rows[a]), tuple(rows[b]))) for a, b in skeleton.edges.tolist()}


@pytest.mark.parametrize("unit", ["nm", "um"])
@pytest.mark.parametrize("label", [7, 300, 12])
def test_what_is_written_comes_back(label: int, unit: Unit) -> None:
    skeleton = skeleton_of(some_skeletons()[label])
    written = encode_swc(label, skeleton, unit)
    assert (written.nodes, written.opened) == (len(skeleton.vertices), 0)
    (tree,) = read(written.text)
    assert tree.label == label
    assert len(tree.skeleton.vertices) == len(skeleton.vertices)
    assert lines_of(tree.skeleton) == lines_of(skeleton)


numbers = st.floats(-(2.0**30), 2.0**30, width=32)


@given(st.lists(st.tuples(numbers, numbers, numbers, st.floats(0, 2.0**20, width=32)), min_size=1, max_size=9))
def test_every_32_bit_number_comes_back(rows: list[tuple[float, ...]]) -> None:
    table = np.array(rows, np.float32)
    edges = np.array([[n, n + 1] for n in range(len(rows) - 1)], np.uint32).reshape(-1, 2)
    types = np.arange(len(rows), dtype=np.uint8)
    skeleton = Skeleton(table[:, :3], edges, {"radius": table[:, 3], "vertex_types": types})
    for unit in ("nm", "um"):
        (tree,) = read(encode_swc(1, skeleton, unit).text)
        place = tree.skeleton.attributes["vertex_types"].astype(int).argsort()
        assert np.array_equal(tree.skeleton.vertices[place], table[:, :3])
        assert np.array_equal(tree.skeleton.attributes["radius"][place], table[:, 3])


def test_a_loop_is_opened_once() -> None:
    ring = skeleton_of(some_skeletons()[BIG])
    written = encode_swc(BIG, ring, "nm")
    assert written.opened == 1
    (tree,) = read(written.text)
    assert len(tree.skeleton.edges) == 4
    assert lines_of(tree.skeleton) < lines_of(ring)


def test_parents_come_first_and_the_root_is_the_soma() -> None:
    one = some_skeletons()[300]
    types = np.array([0, 0, 0, 0, 1, 0, 0], np.uint8)
    skeleton = skeleton_of(one)._replace(attributes={"radius": one.attributes["radius"], "vertex_types": types})
    rows = [line.split() for line in encode_swc(300, skeleton, "nm", 10).text.decode().splitlines() if line[0] != "#"]
    assert [int(row[0]) for row in rows] == list(range(10, 17))
    assert all(int(row[6]) < int(row[0]) for row in rows)
    assert rows[0][1] == "1"
    roots = [row for row in rows if row[6] == "-1"]
    assert len(roots) == 2
    thickest = one.attributes["radius"][5:].max()
    assert np.float32(roots[1][5]) == thickest


def test_several_labels_in_one_text_come_back_each() -> None:
    made = some_skeletons()
    text = b""
    first = 1
    for label in (7, 300, 12):
        written = encode_swc(label, skeleton_of(made[label]), "um", first)
        text += written.text
        first += written.nodes
    nodes = [int(line.split()[0]) for line in text.decode().splitlines() if line[0] != "#"]
    assert nodes == list(range(1, first))
    assert [tree.label for tree in read(text)] == [7, 300, 12]
    for tree in read(text):
        assert lines_of(tree.skeleton) == lines_of(skeleton_of(made[tree.label or 0]))


def test_a_text_without_a_unit_needs_one_to_be_said() -> None:
    text = "1 0 1.5 2 3 0.25 -1\n2 3 1.5 2 4 0.25 1\n"
    with pytest.raises(BadInput, match=r"a.swc does not say the unit of its numbers: say it with --units"):
        read(text)
    for unit, size in (("nm", 1), ("um", 1000)):
        (tree,) = read(text, unit)  # type: ignore[arg-type]  # one of the two words
        assert tree.label is None
        assert tree.skeleton.vertices.tolist() == [[1.5 * size, 2 * size, 3 * size], [1.5 * size, 2 * size, 4 * size]]
        assert tree.skeleton.edges.tolist() == [[0, 1]]
        assert tree.skeleton.attributes["radius"].tolist() == [0.25 * size] * 2
        assert tree.skeleton.attributes["vertex_types"].tolist() == [0, 3]
    (tree,) = read("# units: micrometers\n" + text, "nm")
    assert tree.skeleton.vertices[0].tolist() == [1500, 2000, 3000]


def test_parents_may_come_later_and_numbers_may_be_any() -> None:
    (tree,) = read("\n  7 0 1 1 1 1 900\n# a remark\n900 0 2 2 2 1 -1 extra\n12 0 3 3 3 nan 7\n", "nm")
    assert sorted(map(sorted, tree.skeleton.edges.tolist())) == [[0, 1], [0, 2]]
    assert tree.skeleton.attributes["radius"][2] == 0


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1 0 1 2 3 1\n", "line 1: expected node, type, x, y, z, radius and parent, got 6 words"),
        ("# x\n1 0 1 2 three 1 -1\n", "line 2: expected seven numbers, got '1 0 1 2 three 1 -1'"),
        ("1 0 inf 2 3 1 -1\n", "line 1: the node is nowhere"),
        ("1 300 1 2 3 1 -1\n", "line 1: expected a type from 0 to 255, got 300"),
        ("1 0 1 2 3 1 -1\n1 0 1 2 3 1 -1\n", "node 1 is there twice"),
        ("1 0 1 2 3 1 5\n", "node 5 is missing"),
        ("1 0 1 2 3 1 2\n2 0 1 2 3 1 1\n", "their own parents in a circle"),
        ("1 0 1 2 3 1 1\n", "their own parents in a circle"),
    ],
)
def test_what_is_wrong_is_named(text: str, why: str) -> None:
    with pytest.raises(BadInput, match=f"a.swc.*{why}"):
        read(text, "nm")


def test_nothing_holds_no_tree() -> None:
    assert read("# only a remark\n\n", "nm") == []


NAVIS = """
import json, sys
import navis
*files, again = sys.argv[1:]
neurons = navis.NeuronList([navis.read_swc(file) for file in files])
for n in neurons:
    print(json.dumps({
        "id": str(n.id), "unit": str(n.units), "cable": float(n.cable_length), "trees": int(n.n_trees),
        "nodes": int(n.n_nodes), "places": n.nodes[["x", "y", "z", "radius"]].values.tolist(),
    }))
navis.write_swc(neurons[0], again, write_meta=True)
"""


def test_navis_reads_the_same_and_we_read_what_it_writes(tmp_path: Path) -> None:
    if find_spec("navis") is None:
        pytest.skip("navis is not installed")
    made = {label: skeleton_of(one) for label, one in some_skeletons().items() if label in (7, 300)}
    files = []
    units: tuple[Unit, ...] = ("nm", "um")
    for label, unit in zip((7, 300), units, strict=True):
        files.append(tmp_path / f"{label}.swc")
        files[-1].write_bytes(encode_swc(label, made[label], unit).text)
    words = [sys.executable, "-c", NAVIS, *map(str, files), str(tmp_path / "again.swc")]
    said = subprocess.run(words, capture_output=True, text=True, check=False)  # it warns of much that is not ours
    assert said.returncode == 0, said.stderr
    wire, tree = (json.loads(line) for line in said.stdout.splitlines() if line.startswith("{"))
    assert (wire["id"], wire["unit"], wire["trees"], wire["nodes"]) == ("7", "1 nanometer", 1, 36)
    assert (tree["id"], tree["unit"], tree["trees"], tree["nodes"]) == ("300", "1 micrometer", 2, 7)
    assert wire["cable"] == pytest.approx(35 * 4)
    ours = np.column_stack([made[300].vertices, made[300].attributes["radius"]])
    assert np.allclose(sorted((np.array(tree["places"]) * 1000).tolist()), sorted(ours.tolist()), rtol=1e-6)
    (again,) = read((tmp_path / "again.swc").read_text())
    assert again.label == 7
    assert np.allclose(sorted(again.skeleton.vertices.tolist()), sorted(made[7].vertices.tolist()))
    assert len(again.skeleton.edges) == 35
