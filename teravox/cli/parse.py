"""The words after a command, told apart into options and what they say."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from teravox.cli.errors import BadOption
from teravox.cli.fields import Field

_NUMBER_FIRST = re.compile(r"-\.?[0-9]")


class Words:
    """Reads the words of one command line; `read` gives the text of each option that was given.

    A list may be given several times. Of everything else the last word counts, so that a script's own words can be
    overridden after it. The values are not looked at here: `-5,0,0:9,9,9` is as good as any.
    """

    def __init__(self, fields: Sequence[Field]) -> None:
        self._positionals = [field for field in fields if field.positional]
        options = [field for field in fields if not field.positional]
        self._options = {field.option: (field, True) for field in options}
        self._options |= {f"--no-{field.option[2:]}": (field, False) for field in options if field.is_flag}
        self._shorts = {field.short: field for field in options if field.short}
        self._texts: dict[str, list[str]] = {}

    def read(self, words: Sequence[str]) -> dict[str, str]:
        rest = list(reversed(words))
        free: list[str] = []
        while rest:
            word = rest.pop()
            if word == "--":
                free += reversed(rest)
                break
            if word.startswith("--"):
                self._read_long(word, rest)
            elif word.startswith("-") and word != "-" and not _NUMBER_FIRST.match(word):
                self._read_short(word, rest)
            else:
                free.append(word)
        self._place(free)
        return {name: ",".join(texts) for name, texts in self._texts.items()}

    def _read_long(self, word: str, rest: list[str]) -> None:
        option, is_joined, value = word.partition("=")
        if option not in self._options:
            raise BadOption(f"{option}: no such option{did_you_mean(option, self._options)}")
        field, is_positive = self._options[option]
        if not is_positive and is_joined:
            raise BadOption(f"{option}: takes no value; write {option} or {field.option}")
        if field.is_flag:
            self._take(field, value if is_joined else "yes" if is_positive else "no")
        else:
            self._take(field, value if is_joined else self._next(option, rest))

    def _read_short(self, word: str, rest: list[str]) -> None:
        """`-p4`, `-p 4`, `-p=4`, and flags in a row: `-xq`."""
        letters = word[1:]
        while letters:
            letter, letters = letters[0], letters[1:]
            field = self._shorts.get(letter)
            if field is None:
                raise BadOption(f"-{letter}: no such option" + (f" (in {word})" if word != f"-{letter}" else ""))
            if field.is_flag:
                self._take(field, "yes")
            else:
                self._take(field, letters.removeprefix("=") if letters else self._next(f"-{letter}", rest))
                return

    def _next(self, option: str, rest: list[str]) -> str:
        if not rest:
            raise BadOption(f"{option}: expected a value after it, got nothing")
        word = rest[-1]
        name = word.partition("=")[0]
        if name in self._options or (len(name) == 2 and name[0] == "-" and name[1] in self._shorts):
            raise BadOption(f"{option}: expected a value after it, got the option {name}")
        return rest.pop()

    def _take(self, field: Field, text: str) -> None:
        if field.is_list:
            self._texts.setdefault(field.name, []).append(text)
        else:
            self._texts[field.name] = [text]

    def _place(self, free: list[str]) -> None:
        for at, word in enumerate(free):
            if at < len(self._positionals):
                field = self._positionals[at]
            elif self._positionals and self._positionals[-1].is_list:
                field = self._positionals[-1]
            else:
                known = " ".join(field.word for field in self._positionals)
                raise BadOption(f"{word!r} is one word too many: expected {known or 'options only'}")
            self._take(field, word)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about a word that nobody knows."""
    known = list(known)
    near = [name for name in known if len(word) > 3 and name.startswith(word)][:3]
    near = near or difflib.get_close_matches(word, known, n=1, cutoff=0.7)
    return f"; did you mean {' or '.join(near)}?" if near else ""
