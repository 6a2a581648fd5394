"""A plan of a layer in a bucket of a real S3 server."""

from __future__ import annotations

from pathlib import Path

import pytest
from layers.make import make_layer, voxels
from planning.planned import do, make_job, plan

from teravox.pipeline.planning.planner import Means, ToPlan, make_plan
from teravox.pipeline.planning.prices import read_prices
from teravox.pipeline.planning.rates import read_rates
from teravox.pipeline.stages import Stage
from teravox.pipeline.storage.open import open_store


@pytest.mark.server
def test_a_layer_in_a_bucket_is_planned_by_its_listing_and_priced(tmp_path: Path, layer_in_bucket: str) -> None:
    folder = open_store(make_layer(tmp_path, voxels((40, 40, 9), "uint8"), compress=""))
    store = open_store(layer_in_bucket)
    for key in folder.list():
        store.put(key, folder.get(key) or b"")
    job = make_job("image downsample", layer=layer_in_bucket, num_mips=1, shape=(16, 16, 9), compress="none")
    before = set(store.list())

    planned = plan("image downsample", job)
    means = Means(rates=read_rates(), prices=read_prices(), memory=1 << 40)
    priced = make_plan([ToPlan("a", "image downsample", lambda: [Stage("image downsample", job)])], means)

    assert set(store.list()) == before
    done = do(job)
    assert planned.reads.exact
    assert planned.writes.exact
    assert (planned.reads.bytes, planned.reads.requests) == (done.bytes_in, done.requests_in)
    assert (planned.writes.bytes, planned.writes.requests) == (done.bytes_out, done.requests_out)
    assert priced.place == "aws"
    assert (priced.dollars or 0) > done.requests_in * 0.0004 / 1000 + done.requests_out * 0.005 / 1000
