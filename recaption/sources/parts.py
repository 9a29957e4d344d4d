"""What every kind of source is read as: parts, each a run of rows of one split, whose content is understood later."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NoReturn, Protocol

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
    """A row that is not read yet.

    Args:
        file: what it stands in.
        number: its place there, from 0.
        content: reads and understands it, in whichever thread calls; raises `BadInputError` for one that is unsound.
    """

    file: str
    number: int
    content: Callable[[], RowContent]


def left_out(file: str, number: int, reason: str) -> SourceRow:
    """What a reader passes over, so that it is counted and listed."""

    def refuse() -> NoReturn:
        raise BadInputError(reason)

    return SourceRow(file, number, refuse)


class Part(Protocol):
    """Rows of one split that one task reads; parts are listed in the same order on every machine."""

    @property
    def split(self) -> str:
        """`train`, `validation` or `test`."""

    def rows(self) -> Iterator[SourceRow]:
        """All rows, always in the same order."""

    @property
    def taken_for(self) -> Mapping[str, str]:
        """What each column was taken for, in words; empty where there are none."""

    def vocabulary(self) -> tuple[str, ...] | None:
        """Labels that the annotation knows; None without annotation."""
