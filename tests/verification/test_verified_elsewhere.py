"""Layers in a bucket and behind a web server, and what the docs say of findings."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import get_args

import pytest
from layers.make import make_layer, voxels
from verification.recorded import do_recorded, said, verified
from verification.repairing import repair

from teravox.cli.commands.verify import PartName
from teravox.pipeline.registry import Registry
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.verification.finding import MEANINGS, WHATS
from teravox.pipeline.verification.look import Closeness
from teravox.pipeline.verification.parts import finders
from teravox.pipeline.verification.verify import Progress, open_look, verify

PAGE = (Path(__file__).parents[2] / "docs" / "verify.md").read_text()


@pytest.mark.server
def test_a_layer_in_a_bucket_is_verified_by_its_listing_and_repaired(tmp_path: Path, layer_in_bucket: str) -> None:
    source = make_layer(tmp_path / "src", voxels((16, 16, 8), "uint8"))
    do_recorded("image transfer", source=source, dest=layer_in_bucket, num_mips=1)
    do_recorded("image transfer", source=source, dest=f"{layer_in_bucket}-sharded", sharded=True)
    found = verified(layer_in_bucket, checksums=True)
    assert (found.findings, found.counts["chunks"]) == ((), 4 + 1)
    assert verified(f"{layer_in_bucket}-sharded", checksums=True).is_sound

    store = open_store(layer_in_bucket)
    keys = [key for key in store.list() if "ledger/" not in key]
    before = store.get_many(keys)
    store.delete(["4_4_40/0-8_0-8_0-8"])
    store.put("8_8_40/0-8_0-8_0-8", b"cut", compress="gzip")
    found = verified(layer_in_bucket)
    assert said(found.findings) >= {("missing", "4_4_40/0-8_0-8_0-8"), ("truncated", "8_8_40/0-8_0-8_0-8")}
    assert repair(layer_in_bucket).verified.is_sound
    assert store.get_many(keys) == before


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_behind_a_web_server_what_is_sampled_is_looked_at_and_the_rest_is_told(tmp_path: Path, served: str) -> None:
    source = make_layer(tmp_path / "src", voxels((16, 16, 8), "uint8"), compress=False)
    do_recorded("image transfer", source=source, dest=str(tmp_path / "sharded"), sharded=True)
    for name in ("src", "sharded"):
        found = verified(f"{served}/{name}")
        assert (found.findings, found.counts["chunks decoded"]) == ((), 4)
    assert (
        verified(f"{served}/src").counts["not checked: which objects are there, as a web server does not say it"] == 1
    )
    Path(source, "4_4_40/0-8_0-8_0-8").unlink()
    Path(source, "4_4_40/8-16_0-8_0-8").write_bytes(b"cut")
    assert said(verified(f"{served}/src").findings) == {
        ("missing", "4_4_40/0-8_0-8_0-8"),
        ("truncated", "4_4_40/8-16_0-8_0-8"),
    }
    look = open_look(f"{served}/src", Closeness(fill_missing=True), Registry())
    assert len(verify(look, (), Progress()).findings) == 1


def test_the_words_of_findings_and_parts_are_those_of_the_page_and_the_command() -> None:
    assert set(WHATS) == set(MEANINGS)
    rows = dict(line.strip("| ").split(" | ")[:2] for line in PAGE.splitlines() if line.startswith("| `"))
    for what in WHATS:
        assert MEANINGS[what].startswith(rows[f"`{what}`"])
    assert tuple(finders()) == get_args(PartName)
    for name in finders():
        assert f"`{name}`" in PAGE
