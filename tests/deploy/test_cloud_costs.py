"""What docs/cloud.md says a teravoxel costs is what the price table of `plan` says."""

from __future__ import annotations

import re

import pytest
from deploy.dockerfile import CHECKOUT

from teravox.pipeline.planning.prices import Place, read_prices

PAGE = (CHECKOUT / "docs" / "cloud.md").read_text()
ROW = re.compile(r"^\| ([^|]+?) \| ([\d,]+)(?: \w+)? \| ([\d.]+) (?:an?|for) ([\w,]+) \| ([\d.,]+) \|$", re.MULTILINE)
UNITS = {"hour": 1, "1,000": 1000, "million": 10**6, "GiB": 1}


def rows(intro: str) -> list[tuple[str, float, float, str, float]]:
    """Item, amount, price, what the price is for, dollars, of the table behind some words."""
    table = PAGE.split(intro)[1].split("\n\n")[1]
    found = [
        (item, float(amount.replace(",", "")), float(price), unit, float(dollars.replace(",", "")))
        for item, amount, price, unit, dollars in ROW.findall(table)
    ]
    assert len(found) == len(table.splitlines()) - 2, table
    return found


def prices_of(place: Place) -> dict[str, float]:
    return {
        "cores, spot": place.core_hour,
        "reads": place.get_per_1000,
        "writes": place.put_per_1000,
        "requests to SQS": place.queue_per_million,
        "keeping images, meshes and skeletons, each month": place.storage_gib_month,
        "of the same region": 0.0,
        "of another region of AWS": place.other_region_gib,
        "of AWS, by machines elsewhere": place.internet_gib,
    }


@pytest.mark.parametrize(
    ("intro", "place"),
    [("On AWS, us-east-1:", "aws"), ("On Google Cloud, us-east1:", "gcs"), ("Eight terabytes of raw voxels", "aws")],
)
def test_the_costs_follow_from_the_price_table(intro: str, place: str) -> None:
    prices = prices_of(read_prices().of(place))

    for item, amount, price, unit, dollars in rows(intro):
        assert price == prices[item], item
        assert dollars == pytest.approx(amount * price / UNITS[unit], abs=0.005), item


def test_the_regions_are_those_of_the_price_table() -> None:
    places = read_prices()

    assert f"On AWS, {places.of('aws').region}:" in PAGE
    assert f"On Google Cloud, {places.of('gcs').region}:" in PAGE
