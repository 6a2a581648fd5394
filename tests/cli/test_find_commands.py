from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli.running import Run

from teravox import __version__
from teravox.cli import main as cli_main


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",), ("help",)])
def test_without_a_command_all_are_listed(run: Run, words: tuple[str, ...]) -> None:
    code, out, err = run(*words)
    assert (code, err) == (0, "")
    assert "downsample" in out
    assert "queue …" in out
    assert "130" in out
    assert "TERAVOX_NAME" in out


def test_the_list_of_all_commands_fits_a_screen(run: Run) -> None:
    lines = run("--help").out.splitlines()
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("words", [("queue",), ("queue", "--help"), ("help", "queue")])
def test_a_group_lists_its_commands(run: Run, words: tuple[str, ...]) -> None:
    code, out, _ = run(*words)
    assert code == 0
    assert "teravox queue purge" in out
    assert "downsample" not in out


@pytest.mark.parametrize("words", [("help", "queue", "mv"), ("queue", "mv", "--help"), ("queue", "mv", "a", "-h")])
def test_a_command_explains_itself(run: Run, words: tuple[str, ...]) -> None:
    code, out, _ = run(*words)
    assert code == 0
    assert out.startswith("Usage: teravox queue mv SOURCE DEST [options]\n")


def test_the_version_is_said(run: Run) -> None:
    assert run("--version") == (0, f"teravox {__version__}\n", "")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["image", "downsampel"], "there is no command 'image downsampel'; did you mean image downsample?"),
        (["downsample", "./seg"], "there is no command 'downsample'; did you mean image downsample?"),
        (["exceute", "q"], "there is no command 'exceute q'; did you mean execute?"),
        (["queue", "stats", "./q"], "there is no command 'queue stats'; did you mean queue status?"),
        (["xyzzy"], "there is no command 'xyzzy'; see: teravox --help"),
        (["-p", "3", "execute", "q"], "-p: options come after the command; see: teravox --help"),
        (["--plugin"], "--plugin: expected a value after it, got nothing"),
        (["--plugin", "no_such_module_here", "kinds"], "--plugin: no module named 'no_such_module_here'"),
    ],
)
def test_an_unknown_command_is_answered_in_a_sentence(run: Run, words: list[str], sentence: str) -> None:
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert err.startswith(f"teravox: {sentence}")
    assert err.count("\n") == 1


def test_a_plugin_may_be_named_before_or_after_the_command(paint: Run, run: Run, tmp_path: Path) -> None:
    assert paint("./wall", "--dry-run").code == 0
    assert run("paint", "./wall", "--dry-run", f"--plugin={tmp_path}/paint.py").code == 0


def test_a_kind_cannot_take_the_name_of_a_command(run: Run, tmp_path: Path) -> None:
    from cli.running import SAMPLE

    (tmp_path / "execute.py").write_text(SAMPLE)
    try:
        assert "cannot be named 'execute'" in run("--plugin", "execute.py", "kinds").err
    finally:
        sys.modules.pop("execute", None)


def test_options_that_a_kind_declares_twice_or_without_help_are_refused(run: Run, tmp_path: Path) -> None:
    from cli.running import SAMPLE

    (tmp_path / "paint.py").write_text(SAMPLE.replace("    dry: Annotated", "    queue: Annotated"))
    assert "--queue is declared by" in run("--plugin", "paint.py", "paint", "--help").err
    sys.modules.pop("paint")
    (tmp_path / "paint.py").write_text(SAMPLE.replace("    layer: Layer", "    layer: str"))
    assert "layer has no help" in run("--plugin", "paint.py", "paint", "--help").err


def test_help_imports_nothing_heavy() -> None:
    script = """
import sys
before = set(sys.modules)
from teravox.cli.main import main
assert main(["--help"]) == 0
new = {name.partition(".")[0] for name in set(sys.modules) - before}
print(*sorted(new), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    imported = set(done.stderr.split())
    assert {"teravox", "msgspec"} <= imported
    assert imported - sys.stdlib_module_names <= {"teravox", "msgspec", "typing_extensions"}
    assert not imported & {"asyncio", "multiprocessing", "concurrent", "ssl", "http", "sqlite3", "subprocess", "socket"}


def test_an_unforeseen_error_shows_its_traceback_without_secrets(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMIexample")

    def break_down(*_: object) -> int:
        raise RuntimeError("broke at wJalrXUtnFEMIexample")

    monkeypatch.setattr(cli_main, "_run", break_down)
    code, _, err = run("kinds")
    assert code == 1
    assert "RuntimeError: broke at ***" in err
    assert err.endswith("please report it, with the lines above and the command\n")


def test_ctrl_c_ends_with_its_own_code_and_no_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli_main, "_run", interrupt)
    assert run("kinds") == (130, "", "")


def test_a_reader_that_leaves_early_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    words = [sys.executable, "-m", "teravox", "--help"]
    done = subprocess.run(words, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert done.stderr == b""
    assert done.returncode == 1
