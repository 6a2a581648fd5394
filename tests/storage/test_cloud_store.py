"""What goes wrong between teravox and a bucket, or a web server."""

from __future__ import annotations

import gzip
import secrets
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from servers.seaweed import S3, seaweed

from teravox.pipeline.errors import Fatal, Transient
from teravox.pipeline.storage import cloud_store
from teravox.pipeline.storage.endpoints import cloud_path
from teravox.pipeline.storage.open import open_store


@pytest.fixture
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud_store, "PAUSES", (0.0, 0.0))


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def end_headers(self) -> None:
        if self.path.endswith("packed"):
            self.send_header("Content-Encoding", "gzip")
        super().end_headers()


class Overloaded(BaseHTTPRequestHandler):
    requests = 0

    def do_GET(self) -> None:
        Overloaded.requests += 1
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Refusing(BaseHTTPRequestHandler):
    """An S3 server that answers every question with one error."""

    status, code = 403, "AccessDenied"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = f"<Error><Code>{self.code}</Code><Message>no</Message></Error>".encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


def serve(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "layer").mkdir()
    (tmp_path / "layer" / "info").write_bytes(b"{}")
    (tmp_path / "layer" / "packed").write_bytes(gzip.compress(b"plain"))
    yield from serve(partial(Quiet, directory=str(tmp_path)))


@pytest.fixture
def overloaded() -> Iterator[str]:
    yield from serve(Overloaded)


def test_a_web_server_is_read(web: str) -> None:
    store = open_store(f"{web}/layer")
    assert store.get_many(["info", "packed", "none"]) == {"info": b"{}", "packed": b"plain", "none": None}
    assert store.exists(["info", "none"]) == {"info": True, "none": False}


def test_a_web_server_is_not_written(web: str) -> None:
    store = open_store(f"{web}/layer")
    attempts: list[Callable[[], object]] = [lambda: store.put("info", b"x"), lambda: store.delete(["info"])]
    for attempt in attempts:
        with pytest.raises(Fatal, match="layer/info: an http:// layer can only be read"):
            attempt()


@pytest.mark.usefixtures("_no_pauses")
def test_an_overloaded_server_is_asked_again_and_then_the_error_is_transient(overloaded: str) -> None:
    Overloaded.requests = 0
    with pytest.raises(Transient, match=r"cannot read .*/layer/info: 503"):
        open_store(f"{overloaded}/layer").get("info")
    assert Overloaded.requests == 3


@pytest.mark.usefixtures("_no_pauses")
def test_a_server_that_does_not_answer_is_transient() -> None:
    with pytest.raises(Transient, match=r"cannot read http://127\.0\.0\.1:1/layer/info"):
        open_store("http://127.0.0.1:1/layer").get("info")


@pytest.fixture
def refusing() -> Iterator[str]:
    yield from serve(Refusing)


@pytest.mark.usefixtures("_no_pauses")
@pytest.mark.parametrize(
    ("status", "code", "error", "words"),
    [
        (404, "NoSuchBucket", Fatal, "there is no such bucket"),
        (403, "AccessDenied", Fatal, "the credentials do not allow it"),
        (403, "InvalidAccessKeyId", Fatal, "does not know the access key"),
        (400, "ExpiredToken", Fatal, "the session token has expired"),
        (418, "Teapot", Fatal, "check the URL and the credentials"),
        (503, "SlowDown", Transient, "SlowDown"),
        (500, "InternalError", Transient, "InternalError"),
        (429, "TooManyRequests", Transient, "TooManyRequests"),
    ],
)
def test_what_a_bucket_refuses_is_sorted_and_named(
    refusing: str,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    code: str,
    error: type[Exception],
    words: str,
) -> None:
    monkeypatch.setattr(Refusing, "status", status)
    monkeypatch.setattr(Refusing, "code", code)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted-secret-of-the-test")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    store = open_store(f"s3://{refusing}/bucket{status}{code.lower()}/layer")
    attempts: list[Callable[[], object]] = [
        lambda: store.get("info"),
        lambda: store.put("info", b"{}"),
        lambda: store.delete(["info"]),
    ]
    for attempt in attempts:
        with pytest.raises(error, match=words) as caught:
            attempt()
        assert f"{store.url}/info" in str(caught.value)
        assert "planted-secret" not in str(caught.value)


@pytest.fixture(scope="module")
def two(seaweed_server: S3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[S3, S3]]:
    with seaweed(tmp_path_factory.mktemp("two")) as other:
        yield seaweed_server, other


@pytest.fixture
def _no_stored_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "")  # so that it is taken back at the end, whoever sets it
        monkeypatch.delenv(name)


@pytest.mark.server
@pytest.mark.usefixtures("_no_stored_credentials", "_no_pauses")
class TestS3:
    def test_servers_with_a_bucket_of_one_name_are_not_mixed_up(
        self, two: tuple[S3, S3], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bucket = f"same-{secrets.token_hex(4)}"
        for server, data in zip(two, (b"first server", b"second server"), strict=True):
            server.create_bucket(bucket)
            for name, value in server.environ.items():
                monkeypatch.setenv(name, value)
            open_store(server.url(f"{bucket}/l")).put("who", data)
        stores = [open_store(server.url(f"{bucket}/l")) for server in two]
        assert [_get(server, bucket) for server in two] == [b"first server", b"second server"]
        assert stores[1].get("who") == b"second server"

    def test_cloud_files_is_told_servers_apart(self, two: tuple[S3, S3], monkeypatch: pytest.MonkeyPatch) -> None:
        """By what CloudVolume is given, too: it reads shards through CloudFiles."""
        from cloudfiles import CloudFiles

        bucket = f"same-{secrets.token_hex(4)}"
        for server, data in zip(two, (b"first server", b"second server"), strict=True):
            server.create_bucket(bucket)
            for name, value in server.environ.items():
                monkeypatch.setenv(name, value)
            store = open_store(server.url(f"{bucket}/l"))
            store.put("who", b"nobody")
            CloudFiles(cloud_path(store.url)).put("who", data)
        assert [_get(server, bucket) for server in two] == [b"first server", b"second server"]

    def test_wrong_credentials_are_fatal_and_never_shown(
        self, two: tuple[S3, S3], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bucket = f"mine-{secrets.token_hex(4)}"
        two[0].create_bucket(bucket)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", two[0].key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted-secret-of-the-test")
        with pytest.raises(Fatal, match="secret key is wrong") as caught:
            open_store(two[0].url(f"{bucket}/layer")).get("info")
        assert "planted-secret-of-the-test" not in repr(caught.value)
        assert two[0].key not in str(caught.value)


def _get(server: S3, bucket: str) -> bytes:
    """What a client of nobody's making finds on a server."""
    import boto3

    client = boto3.client(
        "s3",
        endpoint_url=server.endpoint,
        aws_access_key_id=server.key,
        aws_secret_access_key=server.secret,
        region_name="us-east-1",
    )
    body: bytes = client.get_object(Bucket=bucket, Key="l/who")["Body"].read()
    client.close()
    return body
