"""`teravox`: finds the command, reads its options, runs it, and turns errors into sentences and exit codes."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence

from teravox import __version__
from teravox.cli.catalog import Catalog, Declared
from teravox.cli.command import Call, Command
from teravox.cli.config import Config, load_config
from teravox.cli.errors import BadOption
from teravox.cli.general import Opening, take_general
from teravox.cli.given import build, gather, read_values
from teravox.cli.help import help_of, help_of_all, help_of_group
from teravox.cli.parse import did_you_mean
from teravox.cli.run_kind import HowItIsAsked, HowItIsRun, run_kind
from teravox.pipeline.errors import BadUsage, TeravoxError
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.job import Job
from teravox.pipeline.registry import Registry
from teravox.pipeline.secrets import redact


def main(words: Sequence[str] | None = None) -> int:
    """Run one command line; its exit code, as exit_codes.py lists them."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # nobody here multiplies matrices, and its threads cost a start
    try:
        code = _run(tuple(sys.argv[1:] if words is None else words))
        sys.stdout.flush()
    except TeravoxError as error:
        _complain(str(error))
        if isinstance(error, BadOption) and error.command:
            print(f"See: teravox {error.command} --help", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:  # whoever read our output has left, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.FAILED
    except Exception:  # noqa: BLE001 - the last place where a defect can be told from a situation
        import traceback

        sys.stderr.write(redact(traceback.format_exc()))
        _complain("this should not happen; please report it, with the lines above and the command")
        return ExitCode.FAILED
    return code


def _run(words: tuple[str, ...]) -> int:
    opening = take_general(words, os.environ)
    if opening.wants_version:
        print(f"teravox {__version__}")
        return ExitCode.DONE
    config = load_config(opening.config)
    catalog = Catalog(Registry((*config.plugins, *opening.plugins)))
    asks, rest = _ask_for_help(opening)
    front = _words_in_front(rest)
    name = catalog.longest_match(front)
    if name is None:
        return _show_overview(catalog, rest, front)
    declared = catalog.open(name)
    if asks:
        print(help_of(declared))
        return ExitCode.DONE
    try:
        return _call(catalog, declared, rest[len(name.split(" ")) :], config, words)
    except BadOption as error:
        raise BadOption(str(error), name) from None


def _ask_for_help(opening: Opening) -> tuple[bool, tuple[str, ...]]:
    """Whether help is asked for, as `teravox help …` or by `--help`; and the other words."""
    if opening.words[:1] == ("help",):
        return True, opening.words[1:]
    return opening.wants_help, opening.words


def _words_in_front(words: Sequence[str]) -> list[str]:
    front = []
    for word in words:
        if word.startswith("-"):
            break
        front.append(word)
    return front


def _show_overview(catalog: Catalog, words: Sequence[str], front: Sequence[str]) -> int:
    if not front and words:
        raise BadUsage(f"{words[0]}: options come after the command; see: teravox --help")
    if not front:
        print(help_of_all(catalog))
    elif " ".join(front) in catalog.groups:
        print(help_of_group(catalog, " ".join(front)))
    else:
        raise catalog.unknown(front)
    return ExitCode.DONE


def _call(catalog: Catalog, declared: Declared, words: Sequence[str], config: Config, typed: Sequence[str]) -> int:
    fields = declared.fields
    _refuse_unknown_defaults(catalog, declared, config)
    if issubclass(declared.struct, Command):
        words = declared.struct.arrange(words, fields, catalog)
    given = gather(fields, words, os.environ, config.options, config.path)
    values = read_values(fields, given)
    call = Call(shlex.join(["teravox", *typed]), catalog.registry, given)
    own = declared.sections[0].fields if declared.is_kind else fields
    struct = build(declared.struct, own, values, given)
    if isinstance(struct, Job):
        how = build(HowItIsRun, declared.sections[1].fields, values, given)
        asked = build(
            HowItIsAsked, [field for section in declared.sections[2:] for field in section.fields], values, given
        )
        return run_kind(declared.name, struct.settled(), how, asked, call)
    assert isinstance(struct, Command)  # the catalog holds nothing else
    return struct.run(call)


def _refuse_unknown_defaults(catalog: Catalog, declared: Declared, config: Config) -> None:
    """An option in the config file that no command has is a typing error."""
    known = {field.name for field in declared.fields}
    if set(config.options) <= known:
        return
    for name in catalog:
        known |= {field.name for field in catalog.open(name).fields}
    for option in config.options:
        if option not in known:
            raise BadUsage(f"{config.path}: no command has an option {option!r}{did_you_mean(option, known)}")


def _complain(text: str) -> None:
    print(f"teravox: {redact(text)}", file=sys.stderr)
