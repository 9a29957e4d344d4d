"""What is read once and kept for as long as its files stay as they are: an edited file is read anew."""

from collections.abc import Callable, Hashable
from functools import lru_cache, wraps
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

_Arguments = ParamSpec("_Arguments")
_Value = TypeVar("_Value")


def kept_while_unchanged(most: int) -> Callable[[Callable[_Arguments, _Value]], Callable[_Arguments, _Value]]:
    """Keep the last so many values that a function of files returns; it takes its arguments by their places."""

    def decorate(read: Callable[_Arguments, _Value]) -> Callable[_Arguments, _Value]:
        @lru_cache(maxsize=most)
        def kept(looks: Hashable, arguments: tuple[Hashable, ...]) -> _Value:
            return cast(Callable[..., _Value], read)(*arguments)

        @wraps(read)
        def looked_at(*arguments: _Arguments.args, **named: _Arguments.kwargs) -> _Value:
            return kept(_looks(arguments), cast(tuple[Hashable, ...], arguments))

        return looked_at

    return decorate


def _looks(value: object) -> Hashable:
    """Size and time of the last change of each file among some values; of a folder those of its own entries."""
    if isinstance(value, tuple):
        return tuple(map(_looks, value))
    if not isinstance(value, Path):
        return None
    try:
        status = value.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
