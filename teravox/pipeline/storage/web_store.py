"""The store on a web server, https:// or http://, which can only be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.errors import Fatal
from teravox.pipeline.storage.cloud_store import CloudStore, compression_called
from teravox.pipeline.storage.compression import ENDINGS
from teravox.pipeline.storage.whole_objects import Stored, refuse_length, refuse_range
from teravox.pipeline.store import Compression

if TYPE_CHECKING:
    from requests import Response

_MISSING = (403, 404)  # public buckets say 403 of what is not there
_BUCKETS = ("storage.googleapis.com", ".amazonaws.com")  # they say how an object is compressed, and not by its name


class WebStore(CloudStore):
    """Objects behind a web server: a bucket's own, or a plain one over a folder, with its `key.gz` and the like."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        host = url.partition("://")[2].partition("/")[0].partition(":")[0]
        self._endings = ("",) if host.endswith(_BUCKETS) else tuple(ENDINGS)
        self._likely = ""

    def _fetch(self, key: str, most: int | None) -> Stored | None:
        for ending in self._by_likelihood():
            found = self._insist("read", key, lambda ending=ending: self._get(key, ending, most))  # type: ignore[misc]  # the default binds this turn's ending
            if found is not None:
                self._likely = ending
                content, encoding = found
                return content, compression_called(encoding, self.url, key) if encoding else ENDINGS[ending]
        return None

    def _fetch_range(self, key: str, start: int, stop: int) -> bytes | None:
        part: bytes | None = self._insist("read", key, lambda: self._get_range(key, start, stop))
        if part is None and self._has(key):
            raise refuse_range(self.url, key)
        return part

    def _store(self, key: str, stored: bytes | bytearray, how: Compression | None, content_type: str) -> None:  # noqa: ARG002 - the contract's form
        raise Fatal(f"cannot write {self.url}/{key}: an {self._scheme}:// layer can only be read")

    def _remove(self, key: str) -> None:
        raise Fatal(f"cannot remove {self.url}/{key}: an {self._scheme}:// layer can only be read")

    def _has(self, key: str) -> bool:
        return any(
            self._insist("look for", key, lambda ending=ending: self._answers(key + ending))  # type: ignore[misc]  # as above
            for ending in self._by_likelihood()
        )

    def _by_likelihood(self) -> list[str]:
        """The endings that a key may have, first that of the last object that was found."""
        return sorted(self._endings, key=lambda ending: ending != self._likely)

    def _ask_for(self, name: str, **headers: str) -> Response:
        answer: Response = self._interface().session.get(f"{self.url}/{name}", headers=headers, stream=True)
        return answer

    def _answers(self, name: str) -> bool:
        with self._ask_for(name) as answer:
            if answer.status_code not in _MISSING:
                answer.raise_for_status()
            return answer.ok

    def _get(self, key: str, ending: str, most: int | None) -> _Body | None:
        with self._ask_for(key + ending) as answer:
            if answer.status_code in _MISSING:
                return None
            answer.raise_for_status()
            length = int(answer.headers.get("Content-Length", 0))
            if most is not None and length > most:
                raise refuse_length(self.url, key, length, most)
            content = _read(answer, None if most is None else most + 1)
            return _Body(content, answer.headers.get("Content-Encoding", ""))

    def _get_range(self, key: str, start: int, stop: int) -> bytes | None:
        with self._ask_for(key, Range=f"bytes={start}-{stop - 1}") as answer:
            if answer.status_code in _MISSING:
                return None
            if answer.status_code == 416:
                return b""
            answer.raise_for_status()
            if compression_called(answer.headers.get("Content-Encoding", ""), self.url, key) is not None:
                raise refuse_range(self.url, key)
            if answer.status_code == 206:
                return _read(answer, stop - start)
            return _read(answer, stop)[start:]  # it knows no ranges, and sends the whole


class _Body(NamedTuple):
    """What a web server sent, and how it says that it is compressed."""

    content: bytes
    encoding: str


def _read(answer: Response, most: int | None) -> bytes:
    """What comes, as it comes, and no more of it than that."""
    if most is None:
        whole: bytes = answer.raw.read(decode_content=False)
        return whole
    parts: list[bytes] = []
    while most > 0 and (part := answer.raw.read(most, decode_content=False)):
        parts.append(part)
        most -= len(part)
    return b"".join(parts)
