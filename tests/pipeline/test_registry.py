from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pipeline.kind_files import BLUR, write_kind

from teravox.pipeline.errors import BadKind, BadUsage
from teravox.pipeline.registry import Registry


def test_a_file_is_a_plugin(tmp_path: Path) -> None:
    registry = Registry([write_kind(tmp_path / "trial_blur.py")])
    assert "trial-blur" in registry
    kind = registry.find("trial-blur")
    assert kind is not None and kind.__name__ == "Blur"
    assert registry.name_of(kind) == "trial-blur"
    assert registry.name_of(kind(source="a", dest="b")) == "trial-blur"


def test_a_package_of_files_is_a_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_kind(tmp_path / "trial_lab/__init__.py", '"""Kinds of a lab."""\n')
    write_kind(tmp_path / "trial_lab/mesh/__init__.py", '"""Work on meshes."""\n')
    write_kind(tmp_path / "trial_lab/mesh/blur_twice.py")
    write_kind(tmp_path / "trial_lab/_shared.py", "raise AssertionError('no kind')")
    monkeypatch.syspath_prepend(tmp_path)
    registry = Registry(["trial_lab"])
    assert "mesh blur-twice" in registry
    assert not [kind for kind in registry if "shared" in kind]
    assert "trial_lab.mesh.blur_twice" not in sys.modules
    assert registry.groups()["mesh"] == "Work on meshes."
    assert "trial_lab.mesh.blur_twice" not in sys.modules
    kind = registry.find("mesh blur-twice")
    assert kind is not None and kind.__module__ == "trial_lab.mesh.blur_twice"
    assert registry.find("mesh blur-twice") is kind


def test_an_importable_module_is_a_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_kind(tmp_path / "trial_module.py")
    monkeypatch.syspath_prepend(tmp_path)
    assert "trial-module" in Registry(["trial_module"])


def test_a_plugin_may_be_named_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = write_kind(tmp_path / "trial_blur.py")
    monkeypatch.chdir(tmp_path)
    assert "trial-blur" in Registry([plugin, "trial_blur.py", "./trial_blur.py"])
    assert "trial-blur" in Registry([plugin])


def test_two_files_of_one_kind_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_kind(tmp_path / "trial_one/__init__.py", "")
    write_kind(tmp_path / "trial_one/blur.py")
    write_kind(tmp_path / "trial_two/__init__.py", "")
    write_kind(tmp_path / "trial_two/blur.py")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BadKind, match=r"two files declare the kind 'blur': trial_one\.blur and trial_two\.blur"):
        Registry(["trial_one", "trial_two"])


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    one, two = write_kind(tmp_path / "a/trial_blur.py"), write_kind(tmp_path / "b/trial_blur.py")
    with pytest.raises(BadKind, match="a module named 'trial_blur' is there already; rename the file"):
        Registry([one, two])


def test_a_plugin_cannot_hide_an_installed_module(tmp_path: Path) -> None:
    with pytest.raises(BadKind, match="a module named 'wave' is there already"):
        Registry([write_kind(tmp_path / "wave.py")])
    assert "wave" not in sys.modules


def test_a_kind_and_a_group_cannot_share_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_kind(tmp_path / "trial_lab/__init__.py", "")
    write_kind(tmp_path / "trial_lab/blur.py")
    write_kind(tmp_path / "trial_lab/blur/__init__.py", "")
    write_kind(tmp_path / "trial_lab/blur/twice.py")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BadKind, match=r"'blur' .*'blur twice' .*: a kind and a group share a name"):
        Registry(["trial_lab"])


def test_a_plugin_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadUsage, match="--plugin: no module named 'trial_nowhere' can be imported here"):
        Registry(["trial_nowhere"])
    with pytest.raises(BadUsage, match=r"--plugin: there is no file .*trial_gone\.py"):
        Registry([str(tmp_path / "trial_gone.py")])


@pytest.mark.parametrize("name", ["Trial.py", "trial-blur.py", "trial blur.py", "9trial.py", "trial__blur.py"])
def test_a_file_whose_name_is_no_word_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadKind, match="a kind's file is named in small letters, digits and _"):
        Registry([write_kind(tmp_path / name)])


@pytest.mark.parametrize(
    ("change", "to", "said"),
    [
        ("class Blur", "class Other(Job[Box], frozen=True):\n    '''Two.'''\n\n\nclass Blur", "declares 2 jobs"),
        ("class Blur", "class _Blur", "declares 0 jobs"),
        ("frozen=True", "frozen=False", r"trial_blur\.Blur must be frozen: class Blur\(Job\[…\], frozen=True\)"),
        ('"""Blur a layer."""', "", "needs a docstring: its first line is the command's help"),
        ("def pieces", "def parts", r"Blur does not say its pieces\(\)"),
        ("def memory", "def bytes", r"Blur does not say its memory\(\)"),
        ("def run", "def go", r"Blur does not say its run\(\)"),
        ("def outputs", "def keys", r"Blur does not say its outputs\(\)"),
        ("Job[Box]", "Job", "Blur must say its piece"),
    ],
)
def test_a_file_that_breaks_the_rules_of_declarations_is_refused(
    tmp_path: Path, change: str, to: str, said: str
) -> None:
    assert change in BLUR
    with pytest.raises(BadKind, match=said):
        Registry([write_kind(tmp_path / "trial_blur.py", BLUR.replace(change, to))])


def test_a_plugin_that_fails_to_import_is_not_half_there(tmp_path: Path) -> None:
    plugin = write_kind(tmp_path / "trial_blur.py", BLUR + "\nraise OSError('not now')\n")
    for _ in range(2):
        with pytest.raises(OSError, match="not now"):
            Registry([plugin])


def test_a_kind_that_nobody_registered_has_no_name(tmp_path: Path) -> None:
    kind = Registry([write_kind(tmp_path / "trial_blur.py")]).find("trial-blur")
    assert kind is not None
    with pytest.raises(BadKind, match=r"trial_blur\.Blur is not a kind that is registered here"):
        Registry().name_of(kind)


@pytest.mark.parametrize(
    "name",
    ["os", "os.system", "trial_blur", "trial_blur.Blur", "teravox.tasks", "tasks", "", " ", "../x", "\0", "x" * 9999],
)
def test_only_the_name_of_a_kind_finds_one(tmp_path: Path, name: str) -> None:
    registry = Registry([write_kind(tmp_path / "trial_blur.py")])
    before = set(sys.modules)
    assert name not in registry
    assert registry.find(name) is None
    assert set(sys.modules) == before


def test_listing_kinds_imports_none_of_them() -> None:
    code = (
        "import sys; from teravox.pipeline.registry import Registry; kinds = list(Registry());"
        "print(*[name for name in sys.modules if name.startswith('teravox.tasks.')])"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said.split() == []


def test_every_built_in_kind_keeps_the_rules_of_declarations() -> None:
    registry = Registry()
    assert all(registry.find(kind) is not None for kind in registry)
