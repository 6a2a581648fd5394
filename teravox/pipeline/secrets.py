"""Credentials are kept out of whatever is printed or stored."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import quote, quote_plus

from teravox.pipeline.errors import BadUsage

HIDDEN = "***"
SHORTEST = 8  # a shorter value of a variable would also hide innocent words

_SECRET_VARIABLE = re.compile(
    r"(?:^|_)(?:SECRET|TOKEN|PASSWORD|PASSWD|PASS|PASSPHRASE|APIKEY|API_KEY|ACCESS_KEY|PRIVATE_KEY|CREDENTIALS?)(?:_|$)"
    r"|^PGPASSWORD$|^MYSQL_PWD$"
)
_NAMES_A_PLACE = re.compile(r"_(?:FILE|PATH|DIR|URL|URI|EXPIRATION|EXPIRY)$|^GOOGLE_APPLICATION_CREDENTIALS$")

# Names whose value is hidden after "=" and, where the name is quoted, after ":"; the certain ones after any ":".
_CERTAIN = (
    r"secret[_-]?access[_-]?key|secret[_-]?key|access[_-]?key(?:[_-]?id)?|session[_-]?token|security[_-]?token"
    r"|private[_-]?key(?:[_-]?id)?|client[_-]?secret|api[_-]?key|passw(?:or)?d|passphrase"
)
_NAMED = rf"(?:{_CERTAIN}|x-(?:amz|goog)-credential|awsaccesskeyid|googleaccessid|secret|token|signature|(?<![a-z])sig)"
_MARK = r"""\\*["']"""
_INSIDE = r"""(?!["'](?:[,:)}\]\s]|$))\S"""  # a run of characters that ends where a quoted text around it does
_QUOTED = r""""(?:[^"\\\r\n]|\\.)*|'(?:[^'\\\r\n]|\\.)*|(?P<mark>\\+["'])(?:(?!(?<!\\)(?P=mark)).)*"""
_SHELL_WORD = r"""(?:'[^']*'|"(?:[^"\\]|\\.)*"|[^\s"'])+"""

_PEM = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)", re.DOTALL)
_PORT = r"""\d{1,5}(?:[/?#\s"',;)]|$)"""
_USERINFO = re.compile(  # up to the last @: people do not escape the @ and / of their passwords
    rf"([a-z][a-z0-9+.\-]{{0,40}}://)(?:(?!\[)[^\s/:]{{0,256}}:(?!//|{_PORT})(?:{_INSIDE}){{0,2048}}@|[^\s/?#]{{1,2048}}@)",
    re.IGNORECASE,
)
_VALUES = [
    re.compile(rf"({before}){value}", re.IGNORECASE)
    for before, value in (
        (rf"(?:authorization|cookie)(?:{_MARK})?\s{{0,4}}[:=]\s{{0,4}}", rf"(?:{_QUOTED}|[^\s\"'][^\r\n]*)"),
        (r"\bbearer\s{1,4}", r"[A-Za-z0-9._~+/=\-]{8,}"),
        (rf"{_NAMED}(?:\s{{0,4}}=|{_MARK}\s{{0,4}}[:=])[=\s]{{0,4}}", rf"(?:{_QUOTED}|(?:{_INSIDE})+)"),
        (rf"(?:{_CERTAIN})\s{{0,4}}:\s{{0,4}}", rf"(?:{_QUOTED}|(?:{_INSIDE})+)"),
        (rf"(?<=-){_NAMED}\s{{1,4}}", rf"(?!-){_SHELL_WORD}"),
    )
]
_KNOWN_FORM = re.compile(
    r"(?<![A-Za-z0-9])(?:A[KS]IA[A-Z0-9]{16}|AIza[\w-]{35}|ya29\.[\w.-]{8,}|gh[opsu]_[A-Za-z0-9]{20,})(?![A-Za-z0-9])"
)


def redact(text: str) -> str:
    """The text with `***` in place of credentials, whether they are known from the environment or by their form."""
    for value in _environment():
        if value in text:
            text = text.replace(value, HIDDEN)
    return _hide_forms(text)


def refuse_password(url: str) -> None:
    """Raise BadUsage if a URL carries a credential: it would be stored in every task and shown to every reader."""
    safe = _hide_forms(url)
    if safe != url:
        raise BadUsage(
            f"the URL {redact(url)} carries a password, token or signature, and tasks are no place for credentials: "
            "leave it out, and give it to the workers in the environment or in ~/.cloudvolume/secrets"
        )


def is_secret_name(name: str) -> bool:
    """A field or variable of this name holds a credential, by the custom of naming them."""
    return re.fullmatch(rf".{{0,80}}?{_NAMED}", name, re.IGNORECASE) is not None


def _hide_forms(text: str) -> str:
    if "PRIVATE KEY" in text:
        text = _PEM.sub(HIDDEN, text)
    if "://" in text and "@" in text:
        text = _USERINFO.sub(rf"\1{HIDDEN}@", text)
    for form in _VALUES:
        text = form.sub(_keep_marks, text)
    return _KNOWN_FORM.sub(HIDDEN, text)


def _keep_marks(found: re.Match[str]) -> str:
    """The name and the opening quotation mark stay, so that JSON stays JSON."""
    value = found[0][len(found[1]) :]
    mark = re.match(_MARK, value)
    opened = mark[0] if mark else ""
    closed = opened if len(value) > len(opened) and value.endswith(opened) else ""
    return f"{found[1]}{opened}{HIDDEN}{closed}"


def _environment() -> list[str]:
    """The secret values of this process's environment, in the forms in which they turn up; the longest first."""
    values = tuple(value for name, value in os.environ.items() if len(value) >= SHORTEST and _is_secret(name))
    return _forms(values)


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    name = name.upper()
    return _SECRET_VARIABLE.search(name) is not None and _NAMES_A_PLACE.search(name) is None


@lru_cache(maxsize=8)
def _forms(values: tuple[str, ...]) -> list[str]:
    return sorted({form for value in values for form in _forms_of(value)}, key=len, reverse=True)


def _forms_of(value: str) -> Iterator[str]:
    lines = [line.strip() for line in value.splitlines()]
    for part in {value, value.strip(), *lines}:
        if len(part) >= SHORTEST:
            yield part
            yield quote(part, safe="", errors="replace")
            yield quote(part, errors="replace")
            yield quote_plus(part, errors="replace")
            yield json.dumps(part)[1:-1]
            yield json.dumps(part, ensure_ascii=False)[1:-1]
            yield repr(part)[1:-1]
            yield shlex.quote(part).strip("'")
