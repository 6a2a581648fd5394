from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from teravox.cli.values import writing_of
from teravox.pipeline.box import Box, Vec
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.known_file import KnownFile
from teravox.pipeline.options import Form

WHOLE = st.integers(-(10**18), 10**18)
VECTORS = st.tuples(WHOLE, WHOLE, WHOLE)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
BOXES = st.builds(
    lambda low, size: Box(low, (low[0] + size[0], low[1] + size[1], low[2] + size[2])),
    VECTORS,
    st.tuples(*[st.integers(1, 10**9)] * 3),
)
CASES: list[tuple[Any, Form | None, st.SearchStrategy[Any]]] = [  # Any: a type, and values of it
    (int, None, WHOLE),
    (int | None, None, st.none() | WHOLE),
    (int, "bytes", st.integers(0, 2**62)),
    (Annotated[int, Meta(gt=0)] | None, "bytes", st.none() | st.sampled_from([k * 10**9 for k in range(1, 99)])),
    (float, None, FLOATS),
    (float, "seconds", st.floats(0, 1e9)),
    (float | None, "seconds", st.none() | st.integers(0, 10**6).map(float)),
    (bool, None, st.booleans()),
    (str, None, st.text()),
    (Literal["raw", "jpeg", "png"], None, st.sampled_from(["raw", "jpeg", "png"])),
    (Vec, None, VECTORS),
    (Vec | None, None, st.none() | VECTORS),
    (tuple[float, float], None, st.tuples(FLOATS, FLOATS)),
    (tuple[int, ...], None, st.lists(WHOLE).map(tuple)),
    (Box, None, BOXES),
    (Box | None, None, st.none() | BOXES),
]


@pytest.mark.parametrize(("kind", "form", "values"), CASES)
@given(data=st.data())
def test_a_value_is_read_as_it_is_said(
    kind: Any, form: Form | None, values: st.SearchStrategy[Any], data: st.DataObject
) -> None:
    value = data.draw(values)
    writing = writing_of(kind, form)
    assert writing.parse(writing.format(value)) == value


def test_a_file_is_known_by_what_it_holds(tmp_path: Path) -> None:
    writing = writing_of(KnownFile)
    file = tmp_path / "order.csv"
    file.write_text("0,1")
    known = writing.parse(str(file))
    assert (known.path, known.read(), writing.format(known)) == (str(file), b"0,1", str(file))
    file.write_text("0,2")
    assert writing.parse(str(file)) != known
    with pytest.raises(BadUsage, match=r"order\.csv has changed since the job was made"):
        known.read()
    with pytest.raises(ValueError, match=r"^cannot read .*none: No such file"):
        writing.parse(str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("kind", "form", "text", "value"),
    [
        (int, "bytes", "3.5GB", 3_500_000_000),
        (int, "bytes", "512MiB", 512 * 2**20),
        (int, "bytes", "1e9", 10**9),
        (int, "bytes", "4096", 4096),
        (int, None, "1e6", 10**6),
        (int, None, " -5 ", -5),
        (float, "seconds", "90", 90.0),
        (float, "seconds", "10m", 600.0),
        (float, "seconds", "2h", 7200.0),
        (float, None, "1e-3", 0.001),
        (Vec, None, "512, 512, 64", (512, 512, 64)),
        (Box, None, "-5,0,0:10,10,10", Box((-5, 0, 0), (10, 10, 10))),
        (Box | None, None, "none", None),
        (str | None, None, "", None),
        (str | None, None, "none", "none"),
        (tuple[str, ...], None, "a, b", ("a", "b")),
        (tuple[int, ...], None, "", ()),
        (bool, None, "Off", False),
        (str, "layer", "s3://bucket/em/", "s3://bucket/em"),
        (str, "layer", "gs://bucket/em", "gs://bucket/em"),
        (str, "layer", "https://host/em", "https://host/em"),
        (str, "layer", "mem://em", "mem://em"),
        (str, "layer", "precomputed://gs://bucket/em", "gs://bucket/em"),
        (str, "file", "s3://bucket/t.csv", "s3://bucket/t.csv"),
        (str, "queue", "sqs://brain", "sqs://brain"),
        (str, "queue", "https://sqs.eu-west-1.amazonaws.com/1/q", "https://sqs.eu-west-1.amazonaws.com/1/q"),
        (str, "queue", "fq:///data/q", "fq:///data/q"),
    ],
)
def test_a_text_means_a_value(kind: Any, form: Form | None, text: str, value: object) -> None:
    assert writing_of(kind, form).parse(text) == value


@pytest.mark.parametrize(
    ("form", "text", "place"),
    [
        ("layer", "./seg", "file://{here}/seg"),
        ("layer", "sub/../seg/", "file://{here}/seg"),
        ("layer", "file://seg", "file://{here}/seg"),
        ("layer", "precomputed://file://{here}/../seg", "file://{above}/seg"),
        ("file", "t.csv", "file://{here}/t.csv"),
        ("queue", "./q", "fq://{here}/q"),
        ("queue", "fq://q", "fq://{here}/q"),
        ("path", "../map.csv", "{above}/map.csv"),
        ("path", "~/map.csv", "{here}/home/map.csv"),
    ],
)
def test_a_local_place_is_made_absolute(tmp_path: Path, form: Form, text: str, place: str) -> None:
    names = {"here": tmp_path, "above": tmp_path.parent}
    assert writing_of(str, form).parse(text.format(**names)) == place.format(**names)


@pytest.mark.parametrize("form", ["layer", "file", "queue", "path"])
@pytest.mark.parametrize("scheme", ["s3", "https", "sqs", "fq"])
def test_a_password_in_a_url_is_refused_and_not_repeated(form: Form, scheme: str) -> None:
    with pytest.raises(ValueError, match="password") as caught:
        writing_of(str, form).parse(f"{scheme}://me:hunter2hunter2@host/x")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "form", "text", "sentence"),
    [
        (Vec, None, "5,5", "expected 3 whole numbers like 512,512,64, got 2"),
        (Vec, None, "5,5,x", "expected 3 whole numbers like 512,512,64, got '5,5,x'"),
        (Vec, None, "5,5,1.5", "expected 3 whole numbers like 512,512,64, got '5,5,1.5'"),
        (tuple[float, float, float], None, "4,4", "expected 3 numbers like 4.5,4.5,40, got 2"),
        (int, "bytes", "lots", "expected a size like 3.5GB, got 'lots'"),
        (float, "seconds", "soon", "expected a time like 90s or 10m, got 'soon'"),
        (int, None, "1.5", "expected a whole number, got '1.5'"),
        (int, None, "1e999", "expected a whole number, got '1e999'"),
        (float, None, "nan", "expected a number, got 'nan'"),
        (bool, None, "maybe", "expected yes or no, got 'maybe'"),
        (Literal["gzip", "br", "none"], None, "zip", "expected gzip, br or none, got 'zip'"),
        (Box, None, "0,0,0", "expected a box like 0,0,0:512,512,64, got '0,0,0'"),
        (Box, None, "0,0,0:5,5", "expected a box like 0,0,0:512,512,64, got '0,0,0:5,5'"),
        (Box, None, "0,9,0:5,5,5", "expected a box that ends after it begins; '0,9,0:5,5,5' runs from 9 to 5 in y"),
        (tuple[int, ...], None, "1,,2", "expected values with commas between them, got '1,,2'"),
        (str, "queue", "s3://b/q", "s3:// is no queue; give a folder, or sqs://NAME"),
        (str, "queue", "", "expected a queue, got nothing"),
        (str, "path", "s3://b/x", "expected a path of this machine, got the URL s3://b/x"),
    ],
)
def test_an_error_says_what_was_wrong(kind: Any, form: Form | None, text: str, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        writing_of(kind, form).parse(text)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("kind", "form", "value", "text"),
    [
        (int, "bytes", 3_500_000_000, "3.5GB"),
        (int, "bytes", 512 * 2**20, "512MiB"),
        (int, "bytes", 1001, "1001"),
        (float, "seconds", 60.0, "1m"),
        (float, "seconds", 90.0, "90s"),
        (float, "seconds", 0.25, "0.25s"),
        (float, None, 40.0, "40"),
        (Vec, None, (512, 512, 64), "512,512,64"),
        (bool, None, True, "yes"),
        (int | None, None, None, "none"),
    ],
)
def test_a_default_is_said_as_it_is_typed(kind: Any, form: Form | None, value: object, text: str) -> None:
    assert writing_of(kind, form).format(value) == text


@pytest.mark.parametrize("kind", [dict[str, int], bytes, int | str, complex])
def test_a_type_that_cannot_be_typed_is_refused(kind: Any) -> None:
    with pytest.raises(TypeError, match="cannot be written on the command line"):
        writing_of(kind)


@given(st.text())
def test_numbers_are_read_or_refused_and_never_break(text: str) -> None:
    for kind, form in ((int, None), (float, None), (int, "bytes"), (float, "seconds"), (Box, None), (Vec, None)):
        try:
            value = writing_of(kind, form).parse(text)  # type: ignore[arg-type]  # forms as they come
        except ValueError:
            continue
        assert not isinstance(value, float) or math.isfinite(value)
