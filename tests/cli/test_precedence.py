from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from cli.running import Run


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "home/.config/teravox/config.toml"
    path.parent.mkdir(parents=True)
    return path


def planned(out: str) -> str:
    return next(line.split()[1] for line in out.splitlines() if line.startswith("tasks"))


def test_the_command_line_wins_over_environment_over_config_over_declaration(
    paint: Run, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert planned(paint("./wall", "--dry-run").out) == "2"
    config.write_text("[options]\nshape = [5, 10, 10]\n")
    assert planned(paint("./wall", "--dry-run").out) == "4"
    monkeypatch.setenv("TERAVOX_SHAPE", "2,10,10")
    assert planned(paint("./wall", "--dry-run").out) == "10"
    assert planned(paint("./wall", "--dry-run", "--shape", "20,10,10").out) == "1"


def test_positionals_and_flags_come_from_the_environment_too(paint: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERAVOX_LAYER", "./wall")
    monkeypatch.setenv("TERAVOX_DRY_RUN", "yes")
    assert "nothing was written" in paint().out
    monkeypatch.setenv("TERAVOX_DRY_RUN", "1")
    assert paint("--no-dry-run", "-q").out == ""


def test_a_renamed_field_goes_by_its_new_name(paint: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERAVOX_MEMORY", "much")
    assert paint("./wall").err.startswith("teravox: TERAVOX_MEMORY: expected a size like 3.5GB, got 'much'")


def test_an_error_in_the_environment_names_the_variable(paint: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERAVOX_MIP", "-1")
    assert paint("./wall").err.startswith("teravox: TERAVOX_MIP: must be 0 or more, got -1\n")


def test_an_empty_variable_is_not_given(paint: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERAVOX_MIP", "")
    assert paint("./wall", "--dry-run").code == 0


def test_an_error_in_the_config_file_names_the_file(paint: Run, config: Path) -> None:
    config.write_text("[options]\nmip = -1\n")
    assert paint("./wall").err.startswith(f"teravox: mip in {config}: must be 0 or more, got -1\n")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("plugin = ['x']", "unknown key 'plugin'"),
        ("[options]\nnum_mip = 3", "no command has an option 'num_mip'; did you mean num_mips"),
        ("[options]\nmip = {a = 1}", "the option 'mip' must be a text, a number"),
        ("plugins = 'x'", "plugins must be a list of names"),
        ("options = 3", "options must be a table"),
        ("what?", "is no TOML file"),
    ],
)
def test_what_a_config_file_cannot_mean_is_named(paint: Run, config: Path, text: str, sentence: str) -> None:
    config.write_text(text)
    code, _, err = paint("./wall", "--dry-run")
    assert code == 2
    assert str(config) in err
    assert sentence in err


def test_options_of_other_commands_may_stand_in_the_config_file(paint: Run, config: Path) -> None:
    config.write_text("[options]\nnum-mips = 3\nlease_sec = '2m'\nfill_missing = true\n")
    assert paint("./wall", "--dry-run").code == 0


def test_plugins_come_from_the_config_file_and_lie_beside_it(
    paint: Run, run: Run, config: Path, tmp_path: Path
) -> None:
    paint("./wall", "--dry-run")
    del sys.modules["paint"]
    (tmp_path / "paint.py").rename(config.parent / "paint.py")
    config.write_text('plugins = ["paint.py"]\n')
    assert run("paint", "./wall", "--dry-run").code == 0


def test_plugins_come_from_the_environment(paint: Run, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert paint("./wall", "--dry-run").code == 0
    monkeypatch.setenv("TERAVOX_PLUGIN", "./paint.py")
    assert run("paint", "./wall", "--dry-run").code == 0


def test_a_config_file_of_the_current_folder_is_not_read(run: Run, tmp_path: Path) -> None:
    for name in ("config.toml", "teravox.toml", ".teravox.toml"):
        (tmp_path / name).write_text("nonsense = 1")
    assert run("kinds").code == 0


def test_a_named_config_file_is_read_in_place_of_the_usual_one(paint: Run, config: Path, tmp_path: Path) -> None:
    config.write_text("nonsense = 1")
    (tmp_path / "mine.toml").write_text("[options]\nshape = '1,10,10'")
    assert planned(paint("./wall", "--dry-run", "--config", "mine.toml").out) == "20"


def test_a_named_config_file_must_be_there(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("kinds", "--config", "no.toml").err == "teravox: --config: there is no file no.toml\n"
    monkeypatch.setenv("TERAVOX_CONFIG", "no.toml")
    assert run("kinds").code == 2


def test_the_last_word_on_an_option_counts_and_lists_add_up(paint: Run, tmp_path: Path) -> None:
    words = ("./wall", "--mip", "3", "--mip", "1", "--labels", "1,2", "--labels=3", "--queue", "q", "-q")
    assert paint(*words).code == 0
    (message,) = list((tmp_path / "q/queue").glob("*.json"))[:1]
    job = json.loads(message.read_bytes())["job"]
    assert (job["mip"], job["labels"]) == (1, [1, 2, 3])
    assert job["layer"] == f"file://{tmp_path}/wall"
