"""Headless Chromium, driven by its DevTools protocol, to see what a page shows."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray
from servers.daemon import Broken, find_program, running

Picture = NDArray[np.uint8]  # rows, columns and red, green, blue
WAIT = 120.0  # seconds that a page may take: graphics are computed by the processor
SIZE = (1200, 900)

COMPLAINTS = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")

FLAGS = (
    "--headless=new",
    "--no-sandbox",  # which does not let root start it
    "--disable-gpu",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-breakpad",
    "--disable-crash-reporter",
    "--password-store=basic",
    "--remote-debugging-port=0",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # nothing comes from the internet
    f"--window-size={SIZE[0]},{SIZE[1]}",
)


class Page:
    """The one page of a browser."""

    def __init__(self, socket: Any) -> None:  # Any: websocket-client has no types
        self._socket = socket
        self._number = 0
        self._complaints: list[str] | None = None

    def open(self, url: str) -> None:
        """Leave the page before, and go to a URL."""
        self._call("Page.navigate", url="about:blank")
        self._call("Page.navigate", url=url)

    def listen(self) -> list[str]:
        """A list that grows with what the browser complains of from now on: errors, and what it has blocked."""
        self._complaints = []
        self._call("Log.enable")
        self._call("Runtime.enable")
        return self._complaints

    def prefer(self, scheme: str) -> None:
        """Be one that likes light pages, or dark ones."""
        self._call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def evaluate(self, expression: str) -> Any:  # Any: whatever the page's program gives
        """The value of an expression in the page; None while it has none."""
        said = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        return said["result"].get("value")

    def wait_for(self, expression: str) -> None:
        """Look again and again until an expression is true."""
        deadline = time.monotonic() + WAIT
        while not self.evaluate(expression):
            if time.monotonic() > deadline:
                raise Broken(f"after {WAIT:.0f} s still waiting for {expression} of {self.evaluate('location.href')}")
            time.sleep(0.1)

    def take_picture(self) -> tuple[bytes, Picture]:
        """What the page shows, as PNG and as colors."""
        from PIL import Image

        png = base64.b64decode(self._call("Page.captureScreenshot", format="png")["data"])
        return png, np.array(Image.open(io.BytesIO(png)).convert("RGB"))

    def _call(self, method: str, **parameters: object) -> dict[str, Any]:  # Any: JSON
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            said: dict[str, Any] = json.loads(self._socket.recv())
            if self._complaints is not None and said.get("method") in COMPLAINTS:
                self._complaints.append(json.dumps(said["params"]))
            if said.get("id") == self._number:
                if "error" in said:
                    raise Broken(f"{method}: {said['error']}")
                return said["result"]  # type: ignore[no-any-return]  # JSON


@contextmanager
def chromium(folder: Path) -> Iterator[Page]:
    """A browser with an empty page, while the block lasts; it keeps all its files in the folder."""
    import websocket

    program = find_program("chromium")
    says_port = folder / "profile" / "DevToolsActivePort"
    home = {name: str(folder) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "TMPDIR")}
    command = [program, *FLAGS, f"--user-data-dir={folder / 'profile'}", "about:blank"]
    with running(command, folder / "chromium.log", is_up=lambda: _has_two_lines(says_port), environ=home) as browser:
        children = psutil.Process(browser.pid).children(recursive=True)
        try:
            port = says_port.read_text().split("\n")[0]
            socket = websocket.create_connection(_page_address(port), timeout=WAIT, suppress_origin=True)
            try:
                yield Page(socket)
            finally:
                socket.close()
        finally:
            children += psutil.Process(browser.pid).children(recursive=True)
            browser.terminate()
            _, alive = psutil.wait_procs(children, timeout=10)
            for process in alive:
                process.kill()


def _has_two_lines(file: Path) -> bool:
    return file.exists() and file.read_text().count("\n") >= 1


def _page_address(port: str) -> str:
    import requests

    pages = requests.get(f"http://127.0.0.1:{port}/json/list", timeout=WAIT).json()
    (address,) = [page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page"]
    return str(address)
