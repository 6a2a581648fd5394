"""A person at the page: a mouse, keys, and eyes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from layers.make import Array
from view.browser import Page

Point = tuple[float, float]  # shares of a view's width and height
SHIFT = 8  # as DevTools counts


class Hands:
    """Does to a page what a person would."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def drag(self, view: str, start: Point, end: Point) -> tuple[Point, Point]:
        """Paint a line with the left button, and say from where to where it went, in nanometres of the plane."""
        self.mouse("mousePressed", self._pixel(view, start), buttons=1)
        for step in range(1, 5):
            at = tuple(a + (b - a) * step / 4 for a, b in zip(start, end, strict=True))
            self.mouse("mouseMoved", self._pixel(view, (at[0], at[1])), buttons=1)
        self.mouse("mouseReleased", self._pixel(view, end), buttons=0)
        return self._plane(view, start), self._plane(view, end)

    def move_picture(self, view: str, start: Point, end: Point) -> tuple[Point, Point]:
        """Take the picture from one place to another, with the right button; both as they were before, in nanometres."""
        places = self._plane(view, start), self._plane(view, end)
        self.mouse("mousePressed", self._pixel(view, start), button="right", buttons=2)
        self.mouse("mouseMoved", self._pixel(view, end), button="right", buttons=2)
        self.mouse("mouseReleased", self._pixel(view, end), button="right", buttons=0)
        return places

    def mouse(self, what: str, at: Point, *, buttons: int, button: str = "left") -> None:
        self.page._call(
            "Input.dispatchMouseEvent", type=what, x=at[0], y=at[1], button=button, buttons=buttons, clickCount=1
        )

    def turn_wheel(self, view: str, by: int) -> None:
        x, y = self._pixel(view, (0.5, 0.5))
        self.page._call("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=by)

    def press(self, key: str, *, shift: bool = False) -> None:
        said = {"key": key.upper() if shift else key, "modifiers": SHIFT if shift else 0}
        self.page._call("Input.dispatchKeyEvent", type="keyDown", text=said["key"], **said)
        self.page._call("Input.dispatchKeyEvent", type="keyUp", **said)

    def wait_until_quiet(self) -> None:
        """Until all that was painted has come back from the server."""
        self.page.wait_for("window.labelling && labelling.isQuiet() && labelling.stores.labels.asked.size === 0")

    def wait_for_text(self, id: str, text: str) -> None:
        """Until a part of the page says so."""
        self.page.wait_for(f"document.getElementById({json.dumps(id)}).textContent.includes({json.dumps(text)})")

    def look(self, view: str) -> Array:
        """The colors of a view, as rows and columns; of what is drawn now."""
        self.page.evaluate(
            "window.isDrawn = false; requestAnimationFrame(() => requestAnimationFrame(() => { window.isDrawn = true; }))"
        )
        self.page.wait_for("window.isDrawn")
        left, top, width, height = map(int, self._place(view))
        picture: Array = self.page.take_picture()[1][top : top + height, left : left + width].astype(float)
        return picture

    def at(self, picture: Array, view: str, place: Point) -> Array:
        """The mean color of some pixels round a place."""
        rows, columns = picture.shape[:2]
        x, y = int(place[0] * columns), int(place[1] * rows)
        color: Array = np.mean(picture[y - 3 : y + 4, x - 3 : x + 4], axis=(0, 1))
        return color

    def _place(self, view: str) -> Any:  # Any: JSON
        return self.page.evaluate(
            f"(at => [at.left, at.top, at.width, at.height])(document.getElementById('{view}').getBoundingClientRect())"
        )

    def _pixel(self, view: str, place: Point) -> Point:
        left, top, width, height = self._place(view)
        return (round(left + place[0] * width), round(top + place[1] * height))

    def _plane(self, view: str, place: Point) -> Point:
        x, y = self._pixel(view, place)
        found = self.page.evaluate(
            f"labelling.views.find(view => view.name === '{view}').toPlane({{clientX: {x}, clientY: {y}}})"
        )
        return (found[0], found[1])
