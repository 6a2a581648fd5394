from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from teravox.pipeline.storage.open import open_store
from teravox.pipeline.storage.overlay import lay_overlay

KEYS = ["a", "b", "deep/c", "deep/d"]
STEPS = st.lists(st.tuples(st.sampled_from(["put", "append", "delete"]), st.sampled_from(KEYS), st.binary(max_size=4)))


@given(steps=STEPS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_overlay_reads_as_if_it_were_written_and_what_lies_below_stays(
    steps: list[tuple[str, str, bytes]], tmp_path: Path
) -> None:
    place = tmp_path / f"{len(list(tmp_path.iterdir()))}"
    below = open_store(str(place / "layer"))
    below.put("a", b"below", compress="gzip")
    below.put("deep/c", b"deep")
    expected = {"a": b"below", "deep/c": b"deep"}

    with lay_overlay(str(place / "scratch")):
        store = open_store(str(place / "layer"))
        for step, key, data in steps:
            if step == "delete":
                store.delete([key])
                expected.pop(key, None)
            elif step == "put":
                store.put(key, data, compress="gzip" if len(data) % 2 else None)
                expected[key] = data
            else:
                store.append(key, data)
                expected[key] = expected.get(key, b"") + data

        assert {key: store.get(key) for key in KEYS} == {key: expected.get(key) for key in KEYS}
        assert store.get_many(KEYS) == {key: expected.get(key) for key in KEYS}
        assert store.exists(KEYS) == {key: key in expected for key in KEYS}
        assert sorted(store.list()) == sorted(expected)
        assert sorted(key for key, _, _ in store.list_sizes("deep/")) == sorted(
            key for key in expected if key.startswith("deep/")
        )

    after = open_store(str(place / "layer"))
    assert {key: after.get(key) for key in after.list()} == {"a": b"below", "deep/c": b"deep"}


def test_an_overlay_gives_parts_and_stored_bytes_of_what_was_written(tmp_path: Path) -> None:
    open_store(str(tmp_path / "layer")).put("shard", b"0123456789")

    with lay_overlay(str(tmp_path / "scratch")):
        store = open_store(str(tmp_path / "layer"))
        assert store.get_range("shard", 2, 5) == b"234"
        store.put_parts("shard", [b"abc", b"def"])
        store.put_stored("packed", b"as it is", None)
        store.put_many({"one": b"1", "two": b"2"})

        assert store.get_range("shard", 2, 5) == b"cde"
        assert store.get_stored("packed") == (b"as it is", None)
        assert (store.get("one"), store.get("two")) == (b"1", b"2")
