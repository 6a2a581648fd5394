"""What requests, bytes and core-hours cost, by a dated table that people can edit."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from teravox.pipeline.errors import BadUsage

FILE = "prices.toml"
GIB = 1 << 30
Dollars = Annotated[float, Meta(ge=0)]


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The prices of one provider."""

    region: str
    date: str  # when the prices were looked up
    sources: tuple[str, ...]
    get_per_1000: Dollars = 0.0
    put_per_1000: Dollars = 0.0
    storage_gib_month: Dollars = 0.0
    other_region_gib: Dollars = 0.0  # to read from, or write to, another region of the same provider
    internet_gib: Dollars = 0.0  # to read from outside
    queue_per_million: Dollars = 0.0
    core_hour: Dollars = 0.0  # of a preemptible machine


class Prices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of prices."""

    form: Literal["teravox prices 1"]
    places: Mapping[str, Place]

    def of(self, place: str) -> Place:
        """The prices of a place; BadUsage names those that there are."""
        if place not in self.places:
            raise BadUsage(f"--place: the table of prices has {', '.join(self.places)}, got {place!r}")
        return self.places[place]


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """What is paid for."""

    requests_in: float
    requests_out: float
    seconds: float  # of cores
    queue_requests: float
    travelling: float  # bytes that leave their region, or their provider


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """Dollars, item by item."""

    requests: float
    cores: float
    queue: float
    travel: float

    @property
    def total(self) -> float:
        return self.requests + self.cores + self.queue + self.travel


def make_bill(use: Use, place: Place, gib_price: float = 0.0) -> Bill:
    """What something costs once; `gib_price` is that of bytes that travel."""
    return Bill(
        requests=(use.requests_in * place.get_per_1000 + use.requests_out * place.put_per_1000) / 1000,
        cores=use.seconds / 3600 * place.core_hour,
        queue=use.queue_requests * place.queue_per_million / 1e6,
        travel=use.travelling / GIB * gib_price,
    )


def rent(size: float, place: Place) -> float:
    """What it costs to keep so many bytes for a month."""
    return size / GIB * place.storage_gib_month


def read_prices(path: str | None = None) -> Prices:
    """The prices in a file, or those of the package; BadUsage says what is wrong with the file."""
    try:
        text = Path(path).read_text() if path else prices_text()
        return msgspec.convert(tomllib.loads(text), Prices)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise BadUsage(
            f"--prices: {path} is no table of prices: {error}. Begin with: teravox plan --show-prices > prices.toml"
        ) from None


def prices_text() -> str:
    """The table of the package as it is, for people to edit."""
    return files("teravox.pipeline.planning").joinpath(FILE).read_text()
