"""A part whose rows a table or an annotation file lists, with the photos beside it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from notclip.recaption.sources.parts import SourceRow


@dataclass(frozen=True)
class ListedPart:
    """Rows of one split from a reader.

    Args:
        split: the split.
        read: lists the rows and the labels that the annotation knows, None without annotation; called when needed.
        limit: at most so many rows; None takes all.
        taken_for: what each column of a table was taken for.
    """

    split: str
    read: Callable[[], tuple[Iterator[SourceRow], tuple[str, ...] | None]]
    limit: int | None = None
    taken_for: Mapping[str, str] = field(default_factory=dict)

    def rows(self) -> Iterator[SourceRow]:
        """The rows in the order of the file."""
        return islice(self.read()[0], self.limit)

    def vocabulary(self) -> tuple[str, ...] | None:
        """Labels of the annotation."""
        return self.read()[1]
