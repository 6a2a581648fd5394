"""A pipeline file that cannot be meant is refused with one sentence before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli.running import Run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pipelines.trial_kind import write_plugin

from teravox.cli.settings import parse_settings

STEP = '[[step]]\ndo = "brew"\nlayer = "./a"\n'

BAD = {
    "": "./p.toml has no step; write one under [[step]]",
    "[[step]\n": "./p.toml is no TOML file: Expected ']]' at the end of an array declaration (at line 1, column 7)",
    "plugins = ['brew.py']\n": "./p.toml: a file cannot name plugins; name them yourself: teravox --plugin NAME run ./p.toml",
    "steps = 1\n": "./p.toml: unknown key 'steps'; did you mean step?",
    "[step]\ndo = 'brew'\n": "./p.toml: steps are written as tables in a list, each under [[step]]",
    "[[step]]\nlayer = './a'\n": './p.toml: step 1: do must say what is done, as in do = "image downsample"',
    "[[step]]\nname = ''\ndo = 'brew'\n": "./p.toml: step 1: name must be a text",
    "[[step]]\nname = 'a,b'\ndo = 'brew'\n": "./p.toml: step 'a,b': the name of a step must not hold a comma, which stands between names",
    "[[step]]\ndo = 'brwe'\n": "./p.toml: step 'brwe': there is no kind or command 'brwe'; did you mean brew?",
    "[[step]]\ndo = 'queue status'\n": (
        "./p.toml: step 'queue status': teravox queue status cannot be a step; a step is a kind of job (see: teravox kinds), "
        "or a command of several stages such as stitch auto"
    ),
    "[[step]]\ndo = 'run'\nfile = 'p.toml'\n": (
        "./p.toml: step 'run': teravox run cannot be a step; a step is a kind of job (see: teravox kinds), "
        "or a command of several stages such as stitch auto"
    ),
    "[[step]]\ndo = 'brew'\n": "./p.toml: step 'brew': layer is missing: Path or URL of a Precomputed layer.",
    STEP + "valeu = 1\n": "./p.toml: step 'brew': valeu: brew has no such option; did you mean value?",
    STEP + "parallel = 4\n": "./p.toml: step 'brew': parallel: this is said to `teravox run`, for all steps",
    STEP + "yes = true\n": "./p.toml: step 'brew': yes: this is said to `teravox run`, for all steps",
    STEP + "value = 1.5\n": "./p.toml: step 'brew': value: expected a whole number, got 1.5",
    STEP + "value = 2e3\n": "./p.toml: step 'brew': value: expected a whole number, got 2000.0",
    STEP + "value = 'many'\n": "./p.toml: step 'brew': value: expected a whole number, got 'many'",
    STEP + "value = true\n": (
        "./p.toml: step 'brew': value: true is for options that are on or off, and this one takes a value"
    ),
    STEP + "value = [1, 2]\n": "./p.toml: step 'brew': value: expected a single value, got a list",
    STEP + "value = 1979-05-27\n": (
        "./p.toml: step 'brew': value: expected a text, a number, true or false, or a list of these, got a date"
    ),
    STEP + "asks = 1\n": "./p.toml: step 'brew': asks: expected true or false, got 1",
    STEP + "part = 7\n": "./p.toml: step 'brew': part: expected a text in quotes, got the number 7; write \"7\"",
    STEP + "reads = ['./b,./c']\n": (
        "./p.toml: step 'brew': reads: './b,./c' holds a comma, which stands between the values of a list"
    ),
    STEP + "reads = [['./b']]\n": (
        "./p.toml: step 'brew': reads: expected a list of single values, got lists within it"
    ),
    STEP + "value = {n = 1}\n": (
        "./p.toml: step 'brew': value: expected a text, a number, true or false, or a list of these, got a table"
    ),
    STEP + "after = 'a'\n": './p.toml: step 1: after must be a list of names of steps, as in after = ["pyramid"]',
    STEP + "after = ['brow']\n": "./p.toml: step 'brew': after: there is no step 'brow'; did you mean brew?",
    STEP + "after = ['brew']\n": "./p.toml: these steps wait for each other, so none can begin: brew -> brew",
    STEP + STEP: "./p.toml: steps 'brew 1' and 'brew 2' are the same job; take one of them out",
    STEP + "after = ['brew 2']\n" + STEP + "value = 1\n": (
        "./p.toml: these steps wait for each other, so none can begin: brew 1 -> brew 2 -> brew 1"
    ),
    f"{STEP}name = 'x'\n{STEP}name = 'x'\nvalue = 1\n": "./p.toml: step 2: there is another step named 'x'; names must differ",
    STEP + "part = '{out}'\n": "./p.toml: step 1: there is no variable 'out' in [vars]; there are none",
    "[vars]\nout = 'x'\n" + STEP + "part = '{ouT}'\n": (
        "./p.toml: step 1: there is no variable 'ouT' in [vars]; did you mean out?"
    ),
    STEP + "part = 'a}'\n": "./p.toml: step 1: a single '}'; write }} for a brace, or {NAME} for a variable",
    "[vars]\nout = true\n" + STEP: "./p.toml: [vars] out must be a text or a number",
    "[vars]\n'o-t' = 'x'\n" + STEP: "./p.toml: [vars] 'o-t': a variable's name is made of letters, digits and _",
    "vars = 1\n" + STEP: "./p.toml: vars must be a table: [vars]",
    STEP
    + "[scene]\nlayers = []\n": './p.toml: [scene]: layers must be a list of layers, as in layers = ["./em", "./seg"]',
    STEP + "[scene]\nlayer = ['./em']\n": "./p.toml: [scene]: unknown key 'layer'; did you mean layers?",
    STEP + "value = 666\n": "./p.toml: step 'brew': --value: is the number of the beast",
    "[[step]]\ndo = 'image downsample'\nlayer = './none'\n": (
        "./p.toml: step 'image downsample': there is no layer at file://./none: it has no info file. "
        "Check the path, or make one: teravox create"
    ),
    "[[step]]\ndo = 'image downsample'\nlayer = './none'\nmip = -1\n": (
        "./p.toml: step 'image downsample': mip: must be 0 or more, got -1"
    ),
    "[[step]]\ndo = 'image downsample'\nlayer = './none'\nbounds = [[0, 0, 0]]\n": (
        "./p.toml: step 'image downsample': bounds: expected two corners, as in [[0, 0, 0], [512, 512, 64]] or "
        '"0,0,0:512,512,64"'
    ),
    "[[step]]\ndo = 'mesh forge'\nlayer = './none'\nremap = './none.txt'\n": (
        "./p.toml: step 'mesh forge': remap: cannot read ./none.txt: No such file or directory"
    ),
}


@pytest.fixture
def pipe(run: Run, tmp_path: Path) -> Run:
    """Runs a text as a pipeline file."""
    plugin = write_plugin(tmp_path)

    def pipe(text: str, *words: str) -> object:
        (tmp_path / "p.toml").write_text(text)
        return run("--plugin", plugin, "run", "p.toml", *words)

    return pipe  # type: ignore[return-value]  # it returns what `run` does


@pytest.mark.parametrize(("text", "sentence"), BAD.items(), ids=range(len(BAD)))
def test_a_bad_file_is_refused_with_a_sentence(pipe: Run, tmp_path: Path, text: str, sentence: str) -> None:
    code, out, err = pipe(text)
    assert err.replace(str(tmp_path), ".").splitlines()[0] == f"teravox: {sentence}"
    assert (code, out) == (3 if "no layer at" in sentence else 2, "")
    assert {path.name for path in tmp_path.iterdir()} <= {"p.toml", "brew.py", "home", "__pycache__"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--set", "out"], "--set: expected NAME=VALUE, got 'out'"),
        (["--set", "oot=x"], "--set: ./p.toml has no variable 'oot' in [vars]; did you mean out?"),
        (["--only", "brow"], "--only: there is no step 'brow'; did you mean brew?"),
        (["--redo", "brow"], "--redo: there is no step 'brow'; did you mean brew?"),
        (["--interval", "1"], "--interval: means nothing without --queue"),
        (["--queue", "./q", "-p", "2"], "--parallel: means nothing with --queue; say it to `teravox execute`"),
        (["--folder", "./none"], "--folder: there is no folder ./none"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(pipe: Run, tmp_path: Path, words: list[str], sentence: str) -> None:
    code, _, err = pipe("[vars]\nout = 'x'\n" + STEP, *words)
    assert (code, err.replace(str(tmp_path), ".").splitlines()[0]) == (2, f"teravox: {sentence}")


def test_variables_are_replaced_in_all_strings_and_a_setting_wins(pipe: Run, tmp_path: Path) -> None:
    text = '[vars]\nout = "./a"\nn = 3\n[[step]]\ndo = "brew"\nlayer = "{out}/{{x}}"\nnumber = "{n}"\nreads = ["{out}/b,"]\n'
    assert (
        pipe(text)
        .err.splitlines()[0]
        .endswith("reads: '" + "./a/b,' holds a comma, which stands between the values of a list")
    )
    text = text.replace("b,", "b")
    assert pipe(text, "--dry-run").out.startswith("brew  brew: 3 tasks\n")
    assert pipe(text, "--dry-run", "--set", "n=5", "--set", "out=./x").out.startswith("brew  brew: 5 tasks\n")
    assert not (tmp_path / "a").exists()


def test_a_file_may_be_made_by_a_step_before(pipe: Run) -> None:
    text = STEP + '[[step]]\ndo = "mesh forge"\nlayer = "./b"\nremap = "./a/out/0"\n'
    assert pipe(text, "--dry-run").out.splitlines()[1] == "mesh forge  mesh forge, after brew"
    assert "remap: cannot read" in pipe(text + "after = []\n", "--dry-run").err


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("a=1", {"a": "1"}),
        ("a=1,b=2", {"a": "1", "b": "2"}),
        ("shape=64,64,64,b=./x=y", {"shape": "64,64,64", "b": "./x=y"}),
        ("a=", {"a": ""}),
    ],
)
def test_the_value_of_a_variable_may_hold_commas(text: str, settings: dict[str, str]) -> None:
    assert {setting.name: setting.value for setting in parse_settings(text)} == settings


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=5,
    ),
    name=st.sampled_from(["value", "reads", "part", "asks", "slow", "after", "name", "do", "layer"]),
)
def test_any_value_of_an_option_is_taken_or_refused_by_name(pipe: Run, value: object, name: str) -> None:
    text = STEP if name not in {"do", "layer"} else STEP.replace(f"{name} =", "part =")
    if value is None or "None" in str(value):
        return
    code, _, err = pipe(text + f"{name} = {_toml(value)}\n", "--dry-run")
    assert code in {0, 2}
    assert "this should not happen" not in err


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(letter):08x}" for letter in value if not 0xD800 <= ord(letter) < 0xE000) + '"'
    return repr(value)
