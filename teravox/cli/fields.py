"""What the command line knows of an option, out of the field that declares it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Meta

from teravox.cli.values import Writing, core_of, say_choices, writing_of
from teravox.pipeline.errors import BadKind


class Field(NamedTuple):
    """One option: its words, its limits, and how its values are written."""

    name: str
    description: str
    writing: Writing
    default: Any  # of the option's own type; NODEFAULT: it must be given
    limits: str  # such as "0 or more"
    choices: tuple[str, ...]
    is_flag: bool
    is_list: bool
    positional: bool
    short: str

    @property
    def option(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def word(self) -> str:
        """What stands for a positional in usage lines."""
        return self.name.replace("_", "-").upper()

    @property
    def label(self) -> str:
        """What errors call it."""
        return self.word if self.positional else self.option

    @property
    def variable(self) -> str:
        return "TERAVOX_" + self.word.replace("-", "_")

    @property
    def is_required(self) -> bool:
        return self.default is NODEFAULT


def fields_of(declaration: type[msgspec.Struct]) -> tuple[Field, ...]:
    """The options that a declaration has; BadKind where one of them cannot be used or says nothing."""
    return tuple(_field(declaration, info) for info in msgspec.structs.fields(declaration))


def format_value(field: Field, value: object) -> str:
    """A value as somebody would type it."""
    return field.writing.format(value)


def _field(declaration: type[msgspec.Struct], info: msgspec.structs.FieldInfo) -> Field:
    where = f"{declaration.__module__}.{declaration.__name__}: {info.name}"
    metas = list(_metas(info.type))
    says = next((meta.description for meta in metas if meta.description), "")
    if not says:
        raise BadKind(f"{where} has no help: write Annotated[…, says(…)]")
    extra: dict[str, Any] = {}
    for meta in reversed(metas):
        extra.update(meta.extra or {})
    try:
        writing = writing_of(info.type, extra.get("form"))
    except TypeError as error:
        raise BadKind(f"{where}: {error}") from None
    core = core_of(info.type)
    return Field(
        name=info.encode_name,
        description=says,
        writing=writing,
        default=info.default if info.default_factory is NODEFAULT else info.default_factory(),
        limits=_say_limits(core, metas, writing),
        choices=get_args(core) if get_origin(core) is Literal else (),
        is_flag=core is bool,
        is_list=get_origin(core) is tuple and get_args(core)[-1] is ...,
        positional=bool(extra.get("positional")),
        short=str(extra.get("short", "")),
    )


def _metas(kind: Any) -> Iterator[Meta]:  # Any: a type, as annotations hold them
    """What the annotations of a type say, the outermost and latest first."""
    if get_origin(kind) is Annotated:
        inner, *annotations = get_args(kind)
        yield from (meta for meta in reversed(annotations) if isinstance(meta, Meta))
        yield from _metas(inner)
    elif get_origin(kind) not in {tuple, Literal, None}:
        for part in get_args(kind):
            yield from _metas(part)


def _say_limits(core: Any, metas: Sequence[Meta], writing: Writing) -> str:
    if get_origin(core) is Literal:
        return f"one of {say_choices(get_args(core))}"
    said = [_say_limit(meta, writing) for meta in metas]
    if get_origin(core) is tuple:
        element = get_args(core)[0]
        limits = [_say_limit(meta, writing_of(element)) for meta in _metas(element)]
        said += [f"{limit} each" for limit in limits if limit]
    return " and ".join(limit for limit in said if limit)


def _say_limit(meta: Meta, writing: Writing) -> str:
    said = []
    if meta.ge is not None and meta.le is not None:
        said.append(f"{writing.format(meta.ge)} to {writing.format(meta.le)}")
    elif meta.ge is not None:
        said.append(f"{writing.format(meta.ge)} or more")
    elif meta.le is not None:
        said.append(f"{writing.format(meta.le)} or less")
    if meta.gt is not None:
        said.append(f"more than {writing.format(meta.gt)}")
    if meta.lt is not None:
        said.append(f"less than {writing.format(meta.lt)}")
    if meta.multiple_of is not None:
        said.append(f"a multiple of {writing.format(meta.multiple_of)}")
    if meta.min_length is not None:
        said.append(f"at least {meta.min_length} long")
    if meta.max_length is not None:
        said.append(f"at most {meta.max_length} long")
    if meta.pattern is not None:
        said.append(f"of the form {meta.pattern}")
    return " and ".join(said)
