from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.planning.prices import Place, Use, make_bill, prices_text, read_prices, rent

GIB = 1 << 30


def test_a_bill_is_what_one_reckons_by_hand() -> None:
    place = Place(
        region="r", date="2026-01-01", sources=("s",), get_per_1000=0.0004, put_per_1000=0.005,
        storage_gib_month=0.023, queue_per_million=0.4, core_hour=0.02,
    )  # fmt: skip
    use = Use(
        requests_in=5_000_000, requests_out=1_000_000, seconds=7200, queue_requests=2_100_000, travelling=100 * GIB
    )

    bill = make_bill(use, place, 0.09)

    assert bill.requests == pytest.approx(2.0 + 5.0)
    assert bill.cores == pytest.approx(2 * 0.02)
    assert bill.queue == pytest.approx(0.84)
    assert bill.travel == pytest.approx(9.0)
    assert bill.total == pytest.approx(7.0 + 0.04 + 0.84 + 9.0)
    assert rent(1000 * GIB, place) == pytest.approx(23.0)


def test_the_table_of_the_package_is_dated_and_names_its_sources() -> None:
    prices = read_prices()

    assert {"aws", "gcs", "local"} <= set(prices.places)
    for place in prices.places.values():
        assert date.fromisoformat(place.date).year >= 2026
        assert place.sources
    assert prices.of("aws").put_per_1000 == pytest.approx(0.005)
    assert prices.of("local").get_per_1000 == 0


def test_a_table_of_ones_own_is_read_and_a_wrong_one_is_refused(tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_text(prices_text().replace("0.023", "0.5"))
    assert read_prices(str(own)).of("aws").storage_gib_month == 0.5

    own.write_text(prices_text().replace("storage_gib_month", "storage_per_month"))
    with pytest.raises(BadUsage, match=r"prices.toml is no table of prices.*storage_per_month"):
        read_prices(str(own))
    with pytest.raises(BadUsage, match="--show-prices"):
        read_prices(str(tmp_path / "nothing.toml"))
    with pytest.raises(BadUsage, match="has aws, gcs, local, got 'azure'"):
        read_prices().of("azure")
