from __future__ import annotations

import pytest
from cli.running import Run


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["./wall", "--shape", "5,5"], "--shape: expected 3 whole numbers like 512,512,64, got 2"),
        (["./wall", "--memory", "lots"], "--memory: expected a size like 3.5GB, got 'lots'"),
        (["./wall", "--mip", "-1"], "--mip: must be 0 or more, got -1"),
        (["./wall", "--mip=-1"], "--mip: must be 0 or more, got -1"),
        (["./wall", "--coats", "4"], "--coats: must be 1 to 3, got 4"),
        (["./wall", "-c0"], "--coats: must be 1 to 3, got 0"),
        (["./wall", "--thickness", "1"], "--thickness: must be 0 or more and less than 1, got 1"),
        (["./wall", "--memory", "0"], "--memory: must be more than 0, got 0"),
        (["./wall", "--labels", "3,0"], "--labels: must be more than 0 each, got 3,0"),
        (["./wall", "--colour", "red"], "--colour: no such option; did you mean --color?"),
        (["./wall", "--thick", "0"], "--thick: no such option; did you mean --thickness?"),
        (["./wall", "--xyzzy"], "--xyzzy: no such option"),
        (["./wall", "-z"], "-z: no such option"),
        (["./wall", "-qz"], "-z: no such option (in -qz)"),
        (["./wall", "--mip"], "--mip: expected a value after it, got nothing"),
        (["./wall", "--mip", "--dry"], "--mip: expected a value after it, got the option --dry"),
        (["./wall", "--color", "blue"], "--color: expected red or green, got 'blue'"),
        (["./wall", "--no-dry=yes"], "--no-dry: takes no value; write --no-dry or --dry"),
        (["./wall", "--no-mip"], "--no-mip: no such option"),
        (["./wall", "./other"], "'./other' is one word too many: expected LAYER"),
        ([], "LAYER is missing: path or URL of a Precomputed layer."),
        (["s4://b/x"], "LAYER: s4:// is no place for data"),
        (["./wall", "--queue", "./q", "-p", "2"], "--parallel: means nothing with --queue"),
        (["./wall", "--region", "mars"], "--region: means nothing without an SQS queue in --queue"),
    ],
)
def test_the_option_and_what_was_wrong_are_named(paint: Run, words: list[str], sentence: str) -> None:
    code, out, err = paint(*words)
    first, second = err.splitlines()
    assert code == 2
    assert out == ""
    assert first.startswith(f"teravox: {sentence}")
    assert second == "See: teravox paint --help"


def test_what_the_kind_itself_refuses_is_said_in_its_words(paint: Run) -> None:
    code, _, err = paint("./wall", "--color", "green", "--mip", "5")
    assert (code, err) == (2, "teravox: --color: there is no green at mip 5\n")


def test_an_option_is_not_known_by_its_beginning(paint: Run) -> None:
    assert paint("./wall", "--bound", "0,0,0:1,1,1").code == 2


def test_a_password_is_not_repeated(paint: Run) -> None:
    code, out, err = paint("s3://me:hunter2hunter2@bucket/em")
    assert code == 2
    assert "LAYER: the URL" in err
    assert "hunter2" not in out + err
