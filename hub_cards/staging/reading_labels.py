"""The texts of benchmarks/reading_data with what they deny and affirm, as a data set of what may be passed on."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from notclip.dataset.splits import SPLITS
from notclip.errors import BadInputError, shortened
from notclip.files.json_files import check_record, parse_json
from notclip.files.text_files import read_text
from notclip.files.yaml_files import read_front_matter
from notclip.remote.reading_words import split_words

FILES = {"train": "train.jsonl", "validation": "development.jsonl", "test": "test.jsonl"}
CARD = "README.md"
TAGS = ("free", "affirmed", "B-denied", "I-denied")
MOST_BYTES = 64 * 2**20
_SHAPE = {"id": str, "source": str, "denied": list, "affirmed": list, "split": str}
WITHHELD = "no text here"  # in the place of a licence
_SOURCES = "| source | what | licence of the texts |"


@dataclass(frozen=True)
class ReadingLabels:
    """The labelled texts that may be passed on, and what the set's own card says of them.

    Args:
        rows: split -> rows, as `features` has them.
        withheld: source -> how many of its texts are not passed on.
        sources: source -> what it is and the licence of its texts.
        licenses: the licences, by the Hub's identifiers.
        agreement: table of how far two passes of labels agree, in Markdown.
        labelling: how the texts were labelled, in Markdown.
        limits: in Markdown.
    """

    rows: Mapping[str, list[dict[str, Any]]]
    withheld: Mapping[str, int]
    sources: Mapping[str, tuple[str, str]]
    licenses: list[str]
    agreement: str
    labelling: str
    limits: str

    def counts(self) -> dict[str, list[int]]:
        """Source -> its texts in each split."""
        found = {split: Counter(row["source"] for row in rows) for split, rows in self.rows.items()}
        names = sorted(set().union(*found.values()))
        return {name: [found[split][name] for split in SPLITS] for name in names}

    def write(self, folder: Path) -> None:
        """Write data/SPLIT.parquet."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns = features()
        (folder / "data").mkdir(parents=True)
        for split, rows in self.rows.items():
            table = pa.Table.from_pylist(list(map(columns.encode_example, rows)), schema=columns.arrow_schema)
            pq.write_table(table, folder / "data" / f"{split}.parquet")


def features() -> Any:
    """Columns of the data set: `datasets.Features`."""
    from datasets import ClassLabel, Features, List, Value

    texts = {name: Value("string") for name in ("id", "text", "source", "license")}
    spans = {name: List(List(Value("int32"))) for name in ("denied", "affirmed")}
    words = {"tokens": List(Value("string")), "tags": List(ClassLabel(names=list(TAGS)))}
    return Features(texts | spans | words)


def read_reading_labels(folder: Path) -> ReadingLabels:
    """Read the labelled texts of a checkout.

    Raises:
        BadInputError: a file is missing, or a row or the card is not as the set has them; which, and why.
    """
    card = folder / CARD
    text = read_text(card, "`labels`", largest=MOST_BYTES)
    sources = _sources(text, f"`labels` {card}")
    rows: dict[str, list[dict[str, Any]]] = {}
    withheld: Counter[str] = Counter()
    for split, name in FILES.items():
        lines = read_text(folder / name, "`labels`", largest=MOST_BYTES).rstrip("\n").split("\n")
        where = f"`labels` {folder / name}, row"
        found = [_row(line, f"{where} {row},", name, sources) for row, line in enumerate(lines, 1)]
        rows[split] = [row for row in found if row["text"] is not None]
        withheld.update(row["source"] for row in found if row["text"] is None)
    labelling = _section(text, "How it was labelled", f"`labels` {card}")
    how, _, tables = labelling.partition("<!-- figures -->")
    agreement = [part for part in tables.partition("<!-- end of figures -->")[0].split("\n\n") if "F1" in part]
    if not agreement:
        raise BadInputError(f"`labels` {card} lacks the table of agreement: run benchmarks/merge_reading_labels.py.")
    return ReadingLabels(
        rows,
        withheld,
        sources,
        [str(license_id) for license_id in read_front_matter(text, f"`labels` {card}").get("license", [])],
        agreement[0].strip(),
        how.strip(),
        _section(text, "Limits", f"`labels` {card}").strip(),
    )


def _sources(card: str, where: str) -> dict[str, tuple[str, str]]:
    table = card.partition(_SOURCES)[2].partition("\n\n")[0].strip().splitlines()[1:]
    if not table:
        raise BadInputError(f"{where} lacks the table {_SOURCES!r}, which says what may be passed on.")
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    return {source: (what, license_of_texts) for source, what, license_of_texts in cells}


def _section(card: str, title: str, where: str) -> str:
    found = card.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    if not found:
        raise BadInputError(f"{where} lacks the section {title!r}, which the data set's card takes from it.")
    return found


def _row(line: str, where: str, file: str, sources: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    row = parse_json(line, where)
    check_record(row, _SHAPE, where)
    for fault in _faults(row, file, sources):
        raise BadInputError(f"{where} {fault}: make the set again (benchmarks/merge_reading_labels.py).")
    text, license_of_text = row.get("text"), sources[row["source"]][1]
    if text is None:
        return {"text": None, "source": row["source"]}
    words = split_words(text)
    return {name: row[name] for name in ("id", "text", "source", "denied", "affirmed")} | {
        "license": license_of_text,
        "tokens": [text[start:end] for start, end in words],
        "tags": [_tag(word, row["denied"], row["affirmed"]) for word in words],
    }


def _faults(row: Mapping[str, Any], file: str, sources: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    text, source = row.get("text"), row["source"]
    if f"{row['split']}.jsonl" != file:
        yield f"is of the split {shortened(row['split'])}"
    if source not in sources:
        yield f"is of {shortened(source)}, of which {CARD} names no licence"
    if text is None:
        return
    if WITHHELD in sources[source][1]:
        yield f"has a text of {source}, whose licence forbids to pass it on"
    if not isinstance(text, str):
        yield f"has a `text` that is none, {shortened(text)}"
    spans = row["denied"] + row["affirmed"]
    for span in spans:
        whole = isinstance(span, list) and len(span) == 2 and all(type(end) is int for end in span)
        if not whole or not 0 <= span[0] < span[1] <= len(text):
            yield f"has the span {shortened(span)} outside of its text"
    if crossing := [later for earlier, later in pairwise(sorted(spans)) if later[0] < earlier[1]]:
        yield f"has spans that overlap, at {crossing[0][0]}"


def _tag(word: tuple[int, int], denied: list[list[int]], affirmed: list[list[int]]) -> str:
    """What a word is; it may begin before a span ("t-shirt", of which the label marks "shirt")."""
    start, end = word
    for since, until in denied:
        if start < until and since < end:
            return "B-denied" if start <= since else "I-denied"
    return "affirmed" if any(start < until and since < end for since, until in affirmed) else "free"
