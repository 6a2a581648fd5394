"""A worker's log: lines for people, or JSON for machines; never a secret."""

from __future__ import annotations

import json
import sys
import time
from typing import Any, Literal

from teravox.pipeline.secrets import redact

Level = Literal["info", "warning", "error"]


class Log:
    """Writes to standard error; `quiet` keeps warnings and errors only."""

    def __init__(self, worker: str, *, quiet: bool = False, as_json: bool = False) -> None:
        self._worker = worker
        self._quiet = quiet
        self._as_json = as_json

    def info(self, text: str, **facts: Any) -> None:  # Any: whatever JSON can hold
        if not self._quiet:
            self._write("info", text, facts)

    def warning(self, text: str, **facts: Any) -> None:
        self._write("warning", text, facts)

    def error(self, text: str, **facts: Any) -> None:
        self._write("error", text, facts)

    def _write(self, level: Level, text: str, facts: dict[str, Any]) -> None:
        now = time.time()
        if self._as_json:
            line = json.dumps({"time": round(now, 3), "level": level, "worker": self._worker, "text": text, **facts})
        else:
            mark = "" if level == "info" else f"{level}: "
            line = f"{time.strftime('%H:%M:%S', time.localtime(now))} {mark}{text}"
        sys.stderr.write(redact(line) + "\n")
        sys.stderr.flush()
