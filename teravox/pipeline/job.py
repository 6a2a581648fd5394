"""A kind of job is one declaration: its fields are the options, the message, the checks and the manual."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, get_args, get_origin

import msgspec

if TYPE_CHECKING:
    from teravox.pipeline.planning.traffic import Traffic

P = TypeVar("P", bound=msgspec.Struct)


class Job(msgspec.Struct, Generic[P], frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody asked for; subclass it as `class Downsample(Job[Box], frozen=True)`.

    Everything but the constructor may touch storage, and every method may be called again at any time.
    Heavy libraries are imported inside the methods.
    """

    def settled(self) -> Self:
        """The job as it is put into tasks: what it leaves to be found in storage once, such as a threshold, said as a number."""
        return self

    def prepare(self) -> None:
        """Make what must exist before the first piece; safe to repeat, and nothing visible breaks by it."""

    def pieces(self) -> Sequence[P]:
        """The parts of this job: lazy, with a length, can be sliced; the same job gives the same for ever."""
        raise NotImplementedError

    def memory(self, piece: P) -> int:
        """The most bytes that running this piece will need."""
        raise NotImplementedError

    def run(self, piece: P) -> None:
        """Do the piece. It may run twice, and beside every other piece and itself."""
        raise NotImplementedError

    def outputs(self, piece: P) -> Sequence[str]:
        """The keys, within `home`, that this piece leaves behind where it found something to write."""
        raise NotImplementedError

    def removes(self, piece: P) -> Sequence[str]:  # noqa: ARG002 - most kinds take nothing away
        """The keys, within `home`, that this piece takes away, so that nobody looks for them any more."""
        return []

    def traffic(self, piece: P) -> Traffic | None:  # noqa: ARG002 - a kind may know
        """What running this piece will read and write, for `plan`; None where nobody can say."""
        return None

    def foresee(self) -> None:
        """What of `prepare` the plans of later jobs need; stores are overlaid then, so nothing is changed."""
        self.prepare()

    def finish(self) -> None:
        """What is left to do when every piece is done; safe to repeat."""

    def choices(self) -> Sequence[str]:
        """What the job chose by itself and somebody may want otherwise, as sentences that are shown before it is done."""
        return []

    def question(self) -> str | None:
        """What is lost by this job, as a sentence that is asked before it is prepared; None loses nothing."""
        return None

    def report(self) -> str | None:
        """What came of it, in a few lines for the person who waited until it was finished."""
        return None

    def home(self) -> str:
        """The layer beside which the ledger of this job lies: the one that it writes."""
        target = getattr(self, "dest", None) or getattr(self, "layer", None)
        if not isinstance(target, str):
            raise NotImplementedError(f"{type(self).__name__} has neither dest nor layer: say home()")
        return target


AnyJob = Job[Any]  # kinds differ in their pieces; the registry and the worker handle them all


def piece_type(kind: type[AnyJob]) -> type[msgspec.Struct]:
    """The type of a kind's pieces, as its declaration says: `Job[Box]` has boxes."""
    for base in getattr(kind, "__orig_bases__", ()):
        if isinstance(get_origin(base), type) and issubclass(get_origin(base), Job):
            (piece,) = get_args(base)
            if isinstance(piece, type) and issubclass(piece, msgspec.Struct):
                return piece
    raise TypeError(f"{kind.__name__} must say its piece, as in: class {kind.__name__}(Job[Box], frozen=True)")
