"""The one reader of the user's YAML: suites, options, domains and lexicons.

A file is walked through before anything is made of it, so that neither a hundred brackets in a row nor an anchor that
names an anchor that names an anchor costs more than its own size.
"""

from pathlib import Path
from typing import Any

import yaml

from notclip.errors import BadInputError, shortened
from notclip.files.text_files import read_text

LARGEST = 64 * 2**20  # bytes
_DEEPEST = 64
_MOST_VALUES = 5_000_000  # With each alias counted as what it stands for.
_MOST_OF_A_CARD = 100_000
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # Ten times as fast, where PyYAML was built with it.


def read_yaml(file: Path, what: str = "The YAML file") -> Any:
    """What a YAML file holds, as plain values.

    Args:
        file: the file.
        what: what an error calls it.

    Raises:
        BadInputError: it cannot be read, is no YAML, is too large or too deep, or names a key twice; with the line.
    """
    return parse_yaml(read_text(file, what, largest=LARGEST), f"{what} {file}")


def read_front_matter(text: str, where: str) -> dict[str, Any]:
    """The metadata that a card opens with, between two lines of `---`; empty where it has none.

    Args:
        text: the card.
        where: what an error calls it.

    Raises:
        BadInputError: what stands there is no YAML, or no object.
    """
    parts = text.replace("\r\n", "\n").split("---\n", 2)
    content = parse_yaml(parts[1], where, most=_MOST_OF_A_CARD) if len(parts) == 3 and not parts[0].strip() else None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise BadInputError(f"{where} must open with `name: value` pairs, got {shortened(content)}.")
    return content


def parse_yaml(text: str, where: str, *, most: int = _MOST_VALUES) -> Any:
    """What a YAML text says, as plain values.

    Args:
        text: the text, at most `LARGEST` bytes.
        where: what an error calls it.
        most: values that it may hold, each alias counted as what it stands for.

    Raises:
        BadInputError: it is no YAML, is too deep or too much, or names a key twice; with the line.
    """
    try:
        _check(text, where, most)
        return yaml.load(text, Loader=_LOADER)  # noqa: S506  # A safe one, in C where there is one.
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f" line {mark.line + 1}" if mark is not None else ""
        raise BadInputError(f"{where}{line} is not valid YAML: {error.problem or error.context}.") from error
    except yaml.YAMLError as error:
        raise BadInputError(f"{where} is not valid YAML: {' '.join(str(error).split())}") from error
    except BadInputError:
        raise
    except (ValueError, OverflowError, TypeError, RecursionError, MemoryError) as error:
        # What looks like a date, a number or a binary value, and is none: 2026-99-99, `!!int z`.
        raise BadInputError(
            f"{where} holds a value that is not what it looks like ({' '.join(str(error).split()) or 'too deep'}); "
            "put texts in quotes."
        ) from error


def _check(text: str, where: str, most: int) -> None:
    """Walk through a file without making anything of it.

    Raises:
        BadInputError: it is too deep, holds too much, or names a key twice.
        yaml.YAMLError: it is no YAML.
    """
    sizes: dict[str, int] = {}  # anchor -> values that it stands for
    total = 0
    # Of each open collection: its anchor, the values before it, its keys (None: a list), whether a key is next.
    path: list[list[Any]] = []
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, before, _, _ = path.pop()
            if anchor is not None:
                sizes[anchor] = total - before
            continue
        if not isinstance(event, yaml.NodeEvent):
            continue
        line = f"{where} line {event.start_mark.line + 1}" if event.start_mark is not None else where
        if path and path[-1][2] is not None:
            _, _, keys, at_key = path[-1]
            path[-1][3] = not at_key
            if at_key and isinstance(event, yaml.ScalarEvent):
                key = event.value, event.style
                if key in keys:
                    raise BadInputError(f"{line}: the key {shortened(event.value)} stands there twice; delete one.")
                keys.add(key)
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise BadInputError(f"{line}: the alias *{event.anchor} names nothing that is complete before it.")
            total += sizes[event.anchor]
        else:
            total += 1
        if total > most:
            raise BadInputError(f"{line}: a file may hold {most:,} values, aliases written out; it has more.")
        if isinstance(event, yaml.CollectionStartEvent):
            path.append([event.anchor, total, set() if isinstance(event, yaml.MappingStartEvent) else None, True])
            if len(path) > _DEEPEST:
                raise BadInputError(f"{line}: lists and mappings may be {_DEEPEST} deep in each other; deeper here.")
        elif isinstance(event, yaml.ScalarEvent) and event.anchor is not None:
            sizes[event.anchor] = 1
