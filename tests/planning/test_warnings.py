from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError
from planning.planned import make_job, plan
from planning.volumes import CHUNK, grey, labels, write_volumes

from teravox.pipeline.planning import journeys
from teravox.pipeline.planning.estimate import Estimate
from teravox.pipeline.planning.figures import Amount
from teravox.pipeline.planning.journeys import find_journeys
from teravox.pipeline.planning.prices import read_prices
from teravox.pipeline.planning.warnings import find_warnings

ENOUGH = 64_000_000_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A raw image and labels, of 64 voxels each way in chunks of 32; of the labels one chunk is missing."""
    folder = tmp_path_factory.mktemp("warnings")
    write_volumes(folder)
    for job in (make_job("create", **grey(folder, "em")), make_job("create", **labels(folder, "seg"))):
        job.prepare()
        for piece in job.pieces():
            job.run(piece)
    next((folder / "seg/8_8_8").iterdir()).unlink()
    return folder


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    """A copy of it for each test."""
    return Path(shutil.copytree(made, tmp_path / "place"))


def warnings(kind: str, *, memory: int = ENOUGH, workers: int = 1, **options: Any) -> list[str]:  # Any: of the kind
    return list(find_warnings(plan(kind, make_job(kind, **options)), memory=memory, workers=workers))


def test_a_sound_job_is_not_warned_of(place: Path) -> None:
    assert warnings("image downsample", layer=f"{place}/em", num_mips=1) == []


def test_pieces_that_cut_through_chunks(place: Path) -> None:
    (said,) = warnings("image count", layer=f"{place}/em", shape=(16, 32, 64))
    assert "each chunk is fetched 2.0 times" in said


def test_chunks_of_two_layers_that_are_read_once_each_are_not_warned_of(place: Path) -> None:
    layer = f"{place}/em"
    copy = f"{place}/em2"
    make_copy = make_job("image transfer", source=layer, dest=copy)
    make_copy.prepare()
    for piece in make_copy.pieces():
        make_copy.run(piece)
    assert warnings("evaluate count", a=layer, b=copy, dest=f"{place}/r", shape=CHUNK) == []


def test_chunks_that_are_missing(place: Path) -> None:
    (said,) = warnings("image count", layer=f"{place}/seg", shape=CHUNK)
    assert "1 of 8 chunks that were looked for are not there" in said


def test_tasks_that_need_more_than_a_worker_may_use(place: Path) -> None:
    said = warnings("image count", layer=f"{place}/em", memory=1_000_000)
    assert len(said) == 1
    assert "a worker may use 1.0 MB" in said[0]


def test_chunks_without_compression(place: Path) -> None:
    (said,) = warnings(
        "image transfer", source=f"{place}/em", dest=f"{place}/c", compress="none", encoding="raw", chunk_size=(64, 64, 64)
    )  # fmt: skip
    assert "will be raw without compression" in said


def test_shards_that_are_larger_than_the_memory_of_a_worker(place: Path) -> None:
    said = warnings("shard image", layer=f"{place}/em", dest=f"{place}/s", memory=100_000)
    assert [text for text in said if "a shard of mip 0" in text and "holds 262 kB of voxels" in text]


def test_fewer_tasks_than_workers_matter_where_they_take_long(place: Path) -> None:
    planned = plan("image count", make_job("image count", layer=f"{place}/em"))
    assert list(find_warnings(planned, memory=ENOUGH, workers=8)) == []

    (said,) = find_warnings(planned._replace(seconds=[1000.0]), memory=ENOUGH, workers=8)

    assert "there is 1 task for 8 workers" in said


@pytest.mark.parametrize(
    ("requests", "tasks", "said"),
    [(2_000_000, 1000, "it writes 2,000,000 files"), (50_000, 1, "each task writes 50,000 files")],
)
def test_too_many_files(requests: int, tasks: int, said: str, place: Path) -> None:
    planned = plan("image count", make_job("image count", layer=f"{place}/em"))
    many: Estimate = planned._replace(tasks=tasks, writes=Amount(1, requests))

    (warning,) = find_warnings(many, memory=ENOUGH, workers=1)

    assert said in warning


def test_layers_that_lie_elsewhere_than_the_workers_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journeys, "bucket_region", lambda url: "eu-west-1" if "far" in url else "us-east-1")
    urls = ["s3://far/em", "s3://near/em", "gs://other/em", "file:///here"]
    prices = read_prices()

    found = {journey.url: journey for journey in find_journeys(urls, "aws", "us-east-1", prices)}

    assert set(found) == {"s3://far/em", "gs://other/em"}
    assert found["s3://far/em"].gib_price == prices.of("aws").other_region_gib
    assert "lies in eu-west-1, and the workers run in us-east-1" in found["s3://far/em"].sentence
    assert found["gs://other/em"].gib_price == prices.of("gcs").internet_gib
    assert [journey.url for journey in find_journeys(urls, "aws", None, prices)] == ["gs://other/em"]


def test_what_nobody_can_know_stays_unknown(place: Path) -> None:
    job = make_job("image rm", layer=f"{place}/em", mip=0)

    planned = plan("image rm", job, follows="something")

    assert planned.tasks is not None
    assert planned.reads.bytes is None
    assert planned.seconds is None
    assert planned.why is not None
    assert "nobody has measured how long image rm takes" in planned.why
    assert msgspec.json.encode(planned.reads)


@pytest.mark.parametrize("is_refused", [False, True])
def test_the_region_of_a_bucket_is_what_the_server_says_even_where_it_refuses(
    is_refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = {"ResponseMetadata": {"HTTPHeaders": {"x-amz-bucket-region": "eu-west-1"}}, "Error": {"Code": "403"}}

    class Client:
        def head_bucket(self, Bucket: str) -> Any:  # noqa: N803 - AWS's own word  # Any: as boto3 has it
            assert Bucket == "em"
            if is_refused:
                raise ClientError(answer, "HeadBucket")  # type: ignore[arg-type]  # more keys than it declares
            return answer

    monkeypatch.setattr("boto3.client", lambda _: Client())

    assert journeys.bucket_region("s3://em/layer") == "eu-west-1"
    assert journeys.bucket_region("s3://http://localhost:1/em") is None
