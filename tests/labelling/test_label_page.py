"""The page in a real browser: painted with the mouse, told by keys, and looked at."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from labelling.hands import Hands, Point
from layers.make import Array
from servers.daemon import or_skip
from view.browser import Page, chromium
from view.showing import keep

from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.learning.labels import open_labels

pytestmark = pytest.mark.server

BRUSH = 3  # voxels
LEFT: Point = (0.2, 0.35)
PREDICTED = """(store => labelling.views.every(view => store.have(view.predictedTiles)
    && view.predictedTiles.every(tile => store.get(tile, { ask: false }).canvases.length === 2)))(labelling.stores.prediction)"""

# A tile is said to be done while an answer is on its way that says it is not.
CROSSED = """(() => {
    const store = labelling.stores.prediction, tile = labelling.views[0].predictedTiles[0], ask = window.fetch;
    window.fetch = (place, how) => {
        if (!String(place).includes(`prediction/${tile.name}`)) return ask(place, how);
        window.fetch = ask;
        store.renew(tile.name);
        return Promise.resolve(new Response(null, { status: 204 }));
    };
    store.kept.delete(tile.name);
    store.get(tile);
    store.fetch(labelling.views.flatMap(view => view.predictedTiles));
})()"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with or_skip(), chromium(tmp_path_factory.mktemp("chromium")) as page:
        yield page


@contextmanager
def labelling(page: Page, *words: str) -> Iterator[Hands]:
    """The page of `teravox learn label`, until it has ended in order."""
    command = [sys.executable, "-m", "teravox", "learn", "label", *words, "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            page.open(process.stdout.readline().strip())
            hands = Hands(page)
            hands.wait_until_quiet()
            yield hands
            hands.wait_until_quiet()  # else the page would ask whether to leave
            page._call("Page.navigate", url="about:blank")
            page.wait_for("location.href === 'about:blank'")  # Chromium hangs if it goes elsewhere meanwhile
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
        finally:
            process.kill()


def stored(folder: Path) -> Array:
    """All labels as x, y and z, as CloudVolume reads them."""
    from cloudvolume import CloudVolume

    volume = CloudVolume(f"file://{folder}", fill_missing=True, bounded=True)
    return np.asarray(volume[:, :, :])[..., 0]


def within_brush(image: Layer, line: tuple[Point, Point], reach: float) -> Array:
    """The voxels of a plane of x and y whose middles are so near to a line, in nanometres."""
    bounds = image.bounds(0)
    x, y = np.indices(bounds.size[:2])
    points = np.stack([(x + bounds.min[0] + 0.5) * 8, (y + bounds.min[1] + 0.5) * 8], axis=-1)
    start, end = (np.array(point) for point in line)
    along = np.clip(((points - start) @ (end - start)) / ((end - start) @ (end - start)), 0, 1)
    near: Array = np.linalg.norm(points - start - along[..., None] * (end - start), axis=-1) <= reach
    return near


def red_over_blue(color: Array) -> float:
    """Above 0 where it is the orange of the first class, and below where it is the blue of the second."""
    return float(color[0] - color[2])


def test_people_label_see_what_is_learnt_undo_save_and_find_all_again(page: Page, image: Layer, tmp_path: Path) -> None:
    folder, model = tmp_path / "labels", tmp_path / "x.model"
    words = (
        image.url,
        str(folder),
        "--classes",
        "stripes,plain",
        "--sigmas",
        "1",
        "--flat",
        "--model-output",
        str(model),
    )
    complaints = page.listen()
    with labelling(page, *words) as hands:
        for _ in range(8 - BRUSH):
            hands.press("[")
        grey = hands.look("xy")
        assert abs(red_over_blue(hands.at(grey, "xy", LEFT))) < 5

        left = hands.drag("xy", (0.1, 0.3), (0.3, 0.4))
        hands.press("2")
        right = hands.drag("xy", (0.44, 0.6), (0.9, 0.7))  # it begins among the stripes, so that these are less certain
        hands.wait_until_quiet()
        found = stored(folder)
        (at,) = np.unique(np.nonzero(found)[2])
        assert at == image.bounds(0).size[2] // 2
        for label, line in ((1, left), (2, right)):
            ours = found[:, :, at] == label
            assert np.all(within_brush(image, line, (BRUSH / 2 + 1) * 8)[ours])
            assert np.all(ours[within_brush(image, line, (BRUSH / 2 - 0.5) * 8)])

        hands.wait_for_text("learned", "Learnt from ")
        page.wait_for("document.getElementById('progress').hidden")
        page.wait_for(PREDICTED)
        page.evaluate(CROSSED)
        page.wait_for(PREDICTED)
        shown = hands.look("xy")
        keep(page.take_picture()[0], "labelling", tmp_path)
        assert red_over_blue(hands.at(shown, "xy", (0.2, 0.8))) > 15
        assert red_over_blue(hands.at(shown, "xy", (0.8, 0.2))) < -15
        hands.press("u")
        unsure = hands.look("xy")
        magenta = (unsure - shown)[..., [0, 2]].min(axis=2) - (unsure - shown)[..., 1]
        assert magenta.max() > 20, "some voxels are less certain"
        assert np.median(magenta) < 5, "and most are not"
        hands.press("u")
        hands.press("p")
        assert abs(red_over_blue(hands.at(hands.look("xy"), "xy", (0.2, 0.8)))) < 5
        assert red_over_blue(hands.at(hands.look("xy"), "xy", LEFT)) > 15, "labels stay"

        hands.press("z")
        hands.wait_until_quiet()
        assert set(np.unique(stored(folder))) == {0, 1}
        assert abs(red_over_blue(hands.at(hands.look("xy"), "xy", (0.8, 0.68)))) < 5
        hands.press("z", shift=True)
        hands.wait_until_quiet()
        assert np.array_equal(stored(folder), found)

        hands.press("e")
        hands.drag("xy", (0.1, 0.3), (0.2, 0.35))
        hands.wait_until_quiet()
        erased = stored(folder)
        assert 0 < np.count_nonzero(erased == 1) < np.count_nonzero(found == 1)
        assert np.array_equal(erased == 2, found == 2)

        slices = [page.evaluate("labelling.views[0].at")]
        for turn in (100, 100, -100):
            hands.turn_wheel("xy", turn)
            slices.append(page.evaluate("labelling.views[0].at"))
        assert [there - slices[0] for there in slices[1:]] == [1, 2, 1]
        scale = page.evaluate("labelling.look.scale")
        hands.press("+")
        assert page.evaluate("labelling.look.scale") < scale
        x, y, _ = page.evaluate("labelling.look.place")
        start, end = hands.move_picture("xy", (0.5, 0.5), (0.55, 0.48))
        moved = page.evaluate("labelling.look.place")
        assert np.allclose(moved[:2], [x + start[0] - end[0], y + start[1] - end[1]])

        before = page.evaluate("labelling.look.place.join()")
        hands.press("n")
        hands.wait_for_text("message", "Suggestion 1 of")
        assert page.evaluate("labelling.look.place.join()") != before
        hands.press("s")
        hands.wait_for_text("message", "All labels are saved")
        page.evaluate("document.getElementById('save-model').click()")
        hands.wait_for_text("message", "The model is in")
        assert model.is_file()
        hands.press("h")
        assert page.evaluate("document.getElementById('help').open")
        loaded = page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
        assert all(url.startswith(page.evaluate("location.origin")) for url in loaded), "the page loads from elsewhere"
    assert complaints == []

    with labelling(page, image.url, str(folder)) as hands:
        hands.press("l")  # so that only labels are colored
        hands.press("p")
        assert red_over_blue(hands.at(hands.look("xy"), "xy", (0.29, 0.395))) > 15
        assert red_over_blue(hands.at(hands.look("xy"), "xy", (0.8, 0.68))) < -15
        assert np.array_equal(stored(folder), erased)
    assert [one.name for one in open_labels(str(folder)).classes] == ["stripes", "plain"]
    assert not (folder / "session.json").exists()
