"""The labelled set of what texts deny (benchmarks/reading_data): its rows, read and checked.

Texts whose licence forbids passing them on are not in the set: their rows have the text's SHA-256 instead, and its id
ends with its line (from 0) in ../shared/data/reading/pool.jsonl, from where it is joined.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

from notclip.errors import BadInputError, shortened

FOLDER = Path(__file__).parent / "reading_data"
SPLITS = ("train", "development", "test")
# Flickr30k's captions are for research alone; the plain ones are Flickr30k's, too.
WITHHELD = frozenset({"flickr30k", "plain"})

Span = tuple[int, int]


@dataclass(frozen=True)
class LabelledText:
    """A text, with what it denies and affirms as character spans (start, end); all other words are free."""

    id: str
    source: str
    text: str
    denied: tuple[Span, ...]
    affirmed: tuple[Span, ...]
    split: str


def written_row(labelled: LabelledText) -> dict:
    """A row as the files have it: `text` or, where it may not be passed on, `sha256`; the other is null."""
    row = asdict(labelled)
    withheld = labelled.source in WITHHELD
    return row | {"text": None if withheld else labelled.text, "sha256": _sha256(labelled.text) if withheld else None}


def read_pool(path: Path) -> list[dict]:
    """The rows of pool.jsonl, `{"source", "text"}`, in their order."""
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, json.JSONDecodeError) as error:
        raise BadInputError(
            f"{path} is to be the JSONL of texts (../shared/data/reading/pool.jsonl): {error}."
        ) from error


def read_split(split: str, *, folder: Path = FOLDER, pool: Path | None = None) -> list[LabelledText]:
    """The texts of a split; without `pool`, those alone whose text may be passed on.

    Raises:
        BadInputError: no such split, a file or row that is not as the card says, or a pool of other texts.
    """
    if split not in SPLITS:
        raise BadInputError(f"`split` must be one of {', '.join(SPLITS)}, got {split!r}.")
    path = folder / f"{split}.jsonl"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BadInputError(f"{path} cannot be read ({error.strerror}); `folder` is to be the set.") from error
    pool_rows = read_pool(pool) if pool else None
    return [
        text for row, line in enumerate(lines, 1) if (text := _read_row(line, f"{path}, row {row}", split, pool_rows))
    ]


def _read_row(line: str, place: str, split: str, pool: list[dict] | None) -> LabelledText | None:
    try:
        row = json.loads(line)
        spans = [tuple((int(start), int(end)) for start, end in row[side]) for side in ("denied", "affirmed")]
        name, source, text = row["id"], row["source"], row["text"]
        if row["split"] != split:
            raise ValueError(f"`split` is {row['split']!r}")
        if text is None:
            if pool is None:
                return None
            text = _joined(pool, name, row["sha256"])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise BadInputError(f"{place} is not a labelled text: {type(error).__name__} {error}.") from error
    labelled = LabelledText(name, source, text, *spans, split)
    for fault in faults_of(labelled):
        raise BadInputError(f"{place} ({name}): {fault}; make the set again (benchmarks/merge_reading_labels.py).")
    return labelled


def _joined(pool: list[dict], name: str, sha256: str) -> str:
    text = pool[int(name.rpartition("-")[2])]["text"]
    if _sha256(text) != sha256:
        raise ValueError(f"line {name.rpartition('-')[2]} of the pool is another text than {name}: {shortened(text)}")
    return text


def faults_of(labelled: LabelledText) -> Iterator[str]:
    """What is wrong with the spans of a text: each lies within it, from word to word, and no two overlap."""
    spans = sorted(labelled.denied + labelled.affirmed)
    for start, end in spans:
        if not 0 <= start < end <= len(labelled.text):
            yield f"the span {start}–{end} lies outside a text of {len(labelled.text)} characters"
    for (start, end), (following, _) in pairwise(spans):
        if following < end:
            yield f"the spans at {start} and {following} overlap"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
