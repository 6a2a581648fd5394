"""Where the layers of a job lie, and what it costs to bring their bytes to the workers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from teravox.pipeline.job import AnyJob
from teravox.pipeline.planning.prices import Prices
from teravox.pipeline.storage.urls import normalize

PROTOCOLS = {"s3": "aws", "gs": "gcs"}
FIELDS = ("source", "layer", "a", "b", "dest")


class Journey(NamedTuple):
    """A layer that lies elsewhere than the workers run."""

    url: str
    gib_price: float
    sentence: str


def layers_of(job: AnyJob) -> list[str]:
    """The layers that a job names."""
    given = (getattr(job, name, None) for name in FIELDS)
    return [normalize(url) for url in given if isinstance(url, str)]


def place_of(url: str) -> str:
    """Whose prices are those of a layer's storage."""
    return PROTOCOLS.get(url.partition("://")[0], "local")


def find_journeys(urls: list[str], place: str, region: str | None, prices: Prices) -> Iterator[Journey]:
    """The layers among these whose bytes travel to workers at a place, or from them."""
    for url in urls:
        home = place_of(url)
        if home == place:
            there = bucket_region(url) if region and home == "aws" else None
            if there is not None and there != region:
                price = prices.of(home).other_region_gib
                yield Journey(
                    url, price, f"{url} lies in {there}, and the workers run in {region}: each GiB costs ${price:g}"
                )
        elif home != "local":
            price = prices.of(home).internet_gib
            yield Journey(url, price, f"{url} is read from outside of its provider: each GiB costs ${price:g}")


def bucket_region(url: str) -> str | None:
    """The region of an S3 bucket; None where nobody says it."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    bucket = url.removeprefix("s3://").split("/")[0]
    if not bucket or ":" in bucket:  # a server of somebody's own
        return None
    try:
        answer = boto3.client("s3").head_bucket(Bucket=bucket)
    except ClientError as error:  # servers say the region also where they refuse the rest
        answer = error.response
    except BotoCoreError:
        return None
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    region = headers.get("x-amz-bucket-region")
    return None if region is None else str(region)
