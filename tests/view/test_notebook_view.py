"""Layers under a notebook's cell: served until they are closed, and no longer than the process lives."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from layers.make import make_layer, voxels

from teravox.pipeline.view.notebook import show
from teravox.pipeline.view.slice_picture import GAP, draw_slices

LEAVES = """
import socket, sys
from urllib.parse import urlsplit
from teravox.pipeline.view.notebook import show

view = show(sys.argv[1])
url = urlsplit(view.url)
browser = socket.create_connection((url.hostname, url.port))  # it stays, as one that waits for the next chunk
browser.sendall(b"GET " + url.path.encode() + b" HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
print(browser.recv(100).split(b"\\r\\n")[0].decode(), flush=True)
"""


@pytest.fixture
def layer(tmp_path: Path) -> str:
    return make_layer(tmp_path / "em", voxels((32, 24, 8), "uint8"))


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:
        body: bytes = answer.read()
    return body


def test_a_cell_shows_the_client_until_it_is_closed(layer: str) -> None:
    with show(layer, position=(3, 4, 5), height=321) as view:
        shown = view._repr_html_()
        (url,) = re.findall(r'<iframe src="([^"]+)"', shown)
        assert url == view.url
        assert 'height="321"' in shown
        assert b"<html" in get(url).lower()
        was_open = view.is_open
    assert (was_open, view.is_open) == (True, False)
    assert "<iframe" not in view._repr_html_()
    with pytest.raises(urllib.error.URLError):
        get(url)
    view.close()  # a second time does nothing


def test_a_process_ends_while_somebody_looks(layer: str) -> None:
    done = subprocess.run([sys.executable, "-c", LEAVES, layer], capture_output=True, text=True, timeout=40, check=True)
    assert done.stdout == "HTTP/1.1 302 Found\n"


def test_slices_lie_side_by_side(tmp_path: Path) -> None:
    gray = voxels((240, 30, 4), "uint8")
    labels = voxels((240, 20, 4), "uint64", labels=4)
    pictures = draw_slices(
        make_layer(tmp_path / "em", gray), make_layer(tmp_path / "seg", labels, type="segmentation"), z=3
    )
    drawn = np.asarray(pictures)
    assert drawn.shape == (30, 240 + GAP + 240, 3)
    left, right = drawn[:, :240], drawn[:20, 240 + GAP :]
    assert (left == left[..., :1]).all()
    assert np.corrcoef(left[..., 0].ravel(), gray[:, :, 3, 0].T.ravel())[0, 1] > 0.999
    seen = labels[:, :, 3, 0].T
    colors = [np.unique(right[seen == label], axis=0) for label in range(4)]
    assert [len(found) for found in colors] == [1] * 4  # a colour each
    assert colors[0].max() == 0
    assert len({tuple(found[0]) for found in colors}) == 4


def test_small_slices_are_drawn_larger(layer: str) -> None:
    assert draw_slices(layer).size == (8 * 32, 8 * 24)
