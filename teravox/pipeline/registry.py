"""Which kinds there are: one file each, named by its path; a file is imported when its kind is asked for."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

from teravox.pipeline.errors import BadKind, BadUsage
from teravox.pipeline.job import AnyJob, Job, piece_type
from teravox.pipeline.operator_modules import name_module

BUILT_IN = "teravox.tasks"
WORD = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


class Registry:
    """The kinds of the installed package and of the plugins that the operator named.

    A plugin is a module (`mylab.blur`), a package whose files are kinds (`mylab`), or a path to a .py file; a module
    without kinds has functions that steps may name, such as those of `segment`.
    A message can only pick one of these names: nothing it says is ever imported.
    """

    def __init__(self, plugins: Iterable[str] = ()) -> None:
        self.plugins = tuple(dict.fromkeys(plugins))
        self._modules: dict[str, str] = {}  # kind → module
        self._found: dict[str, type[AnyJob]] = {}
        self._add_package(BUILT_IN)
        for plugin in self.plugins:
            self._add_plugin(plugin)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._modules))

    def __contains__(self, kind: str) -> bool:
        return kind in self._modules

    def find(self, kind: str) -> type[AnyJob] | None:
        """The class of a kind, or None if there is no such kind."""
        if kind not in self._modules:
            return None
        if kind not in self._found:
            self._found[kind] = _the_job(importlib.import_module(self._modules[kind]), kind)
        return self._found[kind]

    def name_of(self, job: AnyJob | type[AnyJob]) -> str:
        """The name of a job's kind."""
        cls = job if isinstance(job, type) else type(job)
        for name, module in self._modules.items():
            if module == cls.__module__:
                return name
        raise BadKind(f"{cls.__module__}.{cls.__name__} is not a kind that is registered here")

    def groups(self) -> dict[str, str]:
        """The first words of the kinds, with what their packages say of themselves."""
        said: dict[str, str] = {}
        for kind, module in sorted(self._modules.items()):
            words = kind.split(" ")
            for n in range(1, len(words)):
                package = module.rsplit(".", len(words) - n)[0]
                text = importlib.import_module(package).__doc__ or ""
                said.setdefault(" ".join(words[:n]), text.strip().split("\n")[0])
        return said

    def _add(self, kind: str, module: str) -> None:
        there = self._modules.get(kind)
        if there is not None and there != module:
            raise BadKind(f"two files declare the kind {kind!r}: {there} and {module}; rename one")
        for other, its_module in self._modules.items():
            if its_module.startswith(f"{module}.") or module.startswith(f"{its_module}."):  # one hides the other
                raise BadKind(f"{kind!r} ({module}) and {other!r} ({its_module}): a kind and a group share a name")
        self._modules[kind] = module

    def _add_package(self, package: str) -> None:
        for words, module in _files(package):
            self._add(" ".join(words), module)

    def _add_plugin(self, plugin: str) -> None:
        if plugin.endswith(".py"):
            module = _import_path(Path(plugin))
        else:
            try:
                module = importlib.import_module(plugin)
            except ModuleNotFoundError as error:
                raise BadUsage(f"--plugin: no module named {error.name!r} can be imported here") from None
        name = module.__name__
        name_module(name)
        if hasattr(module, "__path__"):
            self._add_package(name)
            return
        if not any(
            isinstance(value, type) and value.__module__ == name and issubclass(value, Job)
            for value in vars(module).values()
        ):
            return  # functions, which steps of a kind may name
        kind = _spoken(name.rsplit(".", 1)[-1])
        self._add(kind, name)
        self._found[kind] = _the_job(module, kind)


def _files(package: str) -> list[tuple[tuple[str, ...], str]]:
    """The kind files below a package, by looking at the folder: nothing is imported but the package."""
    root = importlib.import_module(package)
    found = []
    for folder in map(Path, root.__path__):
        for file in sorted(folder.rglob("*.py")):
            parts = file.relative_to(folder).with_suffix("").parts
            if all(WORD.fullmatch(part) for part in parts):
                found.append((tuple(map(_spoken, parts)), ".".join((package, *parts))))
    return found


def _spoken(word: str) -> str:
    return word.replace("_", "-")


def _import_path(path: Path) -> ModuleType:
    name = path.stem
    if not path.is_file():
        raise BadUsage(f"--plugin: there is no file {path}")
    if not WORD.fullmatch(name):
        raise BadKind(f"{path.name}: a kind's file is named in small letters, digits and _")
    there = sys.modules.get(name)
    if there is not None and _is_file(getattr(there, "__file__", None), path):
        return there
    if there is not None or _hides_another(name, path):
        raise BadKind(f"{path.name}: a module named {name!r} is there already; rename the file")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None  # a .py file that exists always has both
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _hides_another(name: str, path: Path) -> bool:
    """A module of this name is installed, and whoever imports it later would get the plugin."""
    spec = importlib.util.find_spec(name)
    return spec is not None and spec.origin is not None and not _is_file(spec.origin, path)


def _is_file(origin: str | None, path: Path) -> bool:
    return origin is not None and Path(origin).resolve() == path.resolve()


def _the_job(module: ModuleType, kind: str) -> type[AnyJob]:
    """The one job that a kind's file declares, held to the rules of declarations."""
    jobs = [
        cls
        for cls in vars(module).values()
        if isinstance(cls, type)
        and issubclass(cls, Job)
        and cls.__module__ == module.__name__
        and not cls.__name__.startswith("_")
    ]
    if len(jobs) != 1:
        raise BadKind(f"{module.__name__} declares {len(jobs)} jobs; the file of the kind {kind!r} must declare one")
    (cls,) = jobs
    if not cls.__struct_config__.frozen:
        raise BadKind(f"{module.__name__}.{cls.__name__} must be frozen: class {cls.__name__}(Job[…], frozen=True)")
    if not (cls.__doc__ or "").strip():
        raise BadKind(f"{module.__name__}.{cls.__name__} needs a docstring: its first line is the command's help")
    for method in ("pieces", "memory", "run", "outputs"):
        if getattr(cls, method) is getattr(Job, method):
            raise BadKind(f"{module.__name__}.{cls.__name__} does not say its {method}()")
    try:
        piece_type(cls)
    except TypeError as error:
        raise BadKind(f"{module.__name__}: {error}") from None
    return cls
