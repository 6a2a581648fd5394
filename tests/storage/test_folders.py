from __future__ import annotations

from pathlib import Path

import pytest

from teravox.pipeline.errors import BadInput
from teravox.pipeline.storage.folders import remove_empty_folders, remove_folder
from teravox.pipeline.storage.open import open_store


def tree(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


def test_a_folder_goes_with_all_in_it_and_those_around_it_that_are_empty_then(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    for key in ("info", "a/one/x", "a/one/deep/y", "a/one.gz/z"):
        store.put(key, b"1")
    (tmp_path / "a/one/empty").mkdir()
    remove_folder(store, "a/one")
    assert tree(tmp_path) == {"info", "a", "a/one.gz", "a/one.gz/z"}
    remove_folder(store, "a/one")
    remove_folder(store, "a/one.gz")
    assert tree(tmp_path) == {"info"}


def test_the_folder_of_the_store_stays(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "layer"))
    store.put("a/b/x", b"1")
    remove_folder(store, "a/b")
    assert tree(tmp_path) == {"layer"}


def test_what_others_have_put_there_stays(tmp_path: Path) -> None:
    half = f".x.{'0' * 16}.tmp"
    for name in (f"a/{half}", "a/b/c/notes", "a/d/e/f"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "a/d/e/f").unlink()
    remove_empty_folders(open_store(str(tmp_path)), "a")
    assert tree(tmp_path) == {"a", f"a/{half}", "a/b", "a/b/c", "a/b/c/notes"}


def test_a_folder_that_leads_elsewhere_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "elsewhere/empty").mkdir(parents=True)
    (tmp_path / "layer/a").mkdir(parents=True)
    (tmp_path / "layer/a/link").symlink_to(tmp_path / "elsewhere")
    store = open_store(str(tmp_path / "layer"))
    remove_empty_folders(store, "a")
    assert {"elsewhere/empty", "layer/a/link"} <= tree(tmp_path)
    for folder in ("../elsewhere", "/", ""):
        with pytest.raises(BadInput, match="is no key within"):
            remove_empty_folders(store, folder)


def test_a_bucket_loses_the_keys_of_the_folder(tmp_path: Path) -> None:
    store = open_store(f"mem://{tmp_path.name}")
    for key in ("a/x", "a/b/y", "ab/z"):
        store.put(key, b"1")
    remove_folder(store, "a")
    assert list(store.list()) == ["ab/z"]
