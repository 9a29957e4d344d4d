"""What every kind of source is read as: parts, each a run of rows of one split, whose content is understood later."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal, NoReturn

from notclip.errors import BadInputError

# Which absences of an annotation count: all that it does not list, none, or those that it lists as absent.
Exhaustive = Literal["yes", "no", "listed"]


class MisreadSourceError(BadInputError):
    """A row shows that the whole source is not what it was taken for: no other row of it can be trusted."""


@dataclass(frozen=True)
class RowContent:
    """What one row of a source says.

    Args:
        image: encoded bytes of the photo.
        captions: all that are not empty.
        image_id: identifier in the source, if it has one.
        present: labels that an annotation says are there; None without annotation.
        uncertain: labels of the vocabulary of which the annotation says that they may be there.
        unsaid: labels of the vocabulary of which it says nothing; all others that are not `present` are absent.
        group: photos of one group, such as those of a patient, get into the same split where the source has no splits.
        location: where others find the photo, a URL or a path inside the source; None where it has none.
        remarks: what was left out of a row that is kept.
    """

    image: bytes
    captions: tuple[str, ...]
    image_id: str | None = None
    present: frozenset[str] | None = None
    uncertain: frozenset[str] = frozenset()
    unsaid: frozenset[str] = frozenset()
    group: str | None = None
    location: str | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceRow:
    """A row that is not read yet: what it stands in, and its place there, from 0.

    `content` reads and understands it, in whichever thread calls; it raises `BadInputError` for one that is unsound.
    """

    file: str
    number: int
    content: Callable[[], RowContent]


def left_out(file: str, number: int, reason: str) -> SourceRow:
    """What a reader passes over, so that it is counted and listed."""

    def refuse() -> NoReturn:
        raise BadInputError(reason)

    return SourceRow(file, number, refuse)


@dataclass(frozen=True)
class Part:
    """Rows of one split that one task reads; parts are listed in the same order on every machine.

    Args:
        split: `train`, `validation` or `test`.
        read: lists the rows, always in the same order, and the labels that the annotation knows (None without
            annotation); called when needed.
        taken_for: what each column was taken for, in words; empty where there are none.
        limit: at most so many rows; None takes all.
    """

    split: str
    read: Callable[[], tuple[Iterator[SourceRow], tuple[str, ...] | None]]
    taken_for: Mapping[str, str] = field(default_factory=dict)
    limit: int | None = None

    def rows(self) -> Iterator[SourceRow]:
        """The rows."""
        return islice(self.read()[0], self.limit)

    def vocabulary(self) -> tuple[str, ...] | None:
        """Labels that the annotation knows; None without annotation."""
        return self.read()[1]
