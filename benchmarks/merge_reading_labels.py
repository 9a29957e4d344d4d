"""Merge two passes of labels of what texts deny into the set benchmarks/reading_data, and say how far they agree.

    python benchmarks/merge_reading_labels.py ../shared/data/reading/pool.jsonl

Reads passes/a.jsonl, passes/b.jsonl and the lists of written queries of the folder; writes train.jsonl,
development.jsonl and test.jsonl there, and the figures of its card. A character is denied (or affirmed) where both
passes say so, a word that is not covered whole is free, and a span is a maximal run of such characters from word to
word: what two careful readers do not both say counts neither way. A text that either pass skips is left out.

A pass names what it marks by its words, in order of the text, or by [start, end] where the text may not be passed on.
Words that occur more than once are placed so that no two marks overlap and what is denied follows a cue most closely.
"""

import argparse
import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from reading_set import FOLDER, SPLITS, LabelledText, Span, read_pool, written_row

from notclip.errors import BadInputError

# Lists of queries written for the set: name of their source, and the split of all of them where a hash does not say.
WRITTEN = {"queries_own.txt": ("queries-own", None), "queries_apps.txt": ("queries-apps", "train")}
SIDES = ("denied", "affirmed")
_WORD = re.compile(r"\w+")
_CUE = re.compile(
    r"\b(?:no|not|non|without|nor|neither|none|never|except|lack\w*|instead|but|than|nobody)\b|n ?['’] ?t\b|[-!]"
)
# In the lists of queries: {denied} and <affirmed>.
_MARK = re.compile(r"\{(?P<denied>[^{}<>]+)\}|<(?P<affirmed>[^{}<>]+)>")


def split_of(text: str) -> str:
    """The split of a text, 60, 20 and 20 of 100, by a hash of its letters.

    So texts that differ in digits, punctuation or case alone stay together, also those of two sources, and a
    text that is added later moves no other.

    >>> split_of("No. 3: a red car!") == split_of("no a Red Car")
    True
    """
    letters = re.sub(r"[\W\d_]+", " ", text.lower()).strip()
    place = int(hashlib.sha256(letters.encode()).hexdigest(), 16) % 100
    return "train" if place < 60 else "development" if place < 80 else "test"


def place_marks(text: str, denied: Sequence[str | list[int]], affirmed: Sequence[str | list[int]]) -> list[list[Span]]:
    """The spans of what one pass denies and affirms.

    >>> place_marks("a dog, but no dog outside", ["dog"], ["dog"])
    [[(14, 17)], [(2, 5)]]

    Raises:
        BadInputError: a mark whose words are not in the text, or that overlaps another wherever it is placed.
    """
    marks = [(side, mark) for side, listed in enumerate((denied, affirmed)) for mark in listed]
    cues = [match.end() for match in _CUE.finditer(text)]
    best: tuple[float, list[Span]] | None = None
    stack: list[tuple[float, list[Span]]] = [(0.0, [])]
    while stack:
        cost, placed = stack.pop()
        if best and cost >= best[0]:
            continue
        if len(placed) == len(marks):
            best = (cost, placed)
            continue
        side, mark = marks[len(placed)]
        before = placed[-1][1] if placed and marks[len(placed) - 1][0] == side else 0
        for start, end in _places(text, mark):
            if all(end <= other[0] or other[1] <= start for other in placed):
                far = start - max((cue for cue in cues if cue <= start), default=-len(text))
                disorder = 10 * len(text) * (start < before)
                added = disorder + (far if side == 0 else start * 1e-3)
                stack.append((cost + added, [*placed, (start, end)]))
    if best is None:
        raise BadInputError(f"The marks {denied} and {affirmed} cannot be placed in {text!r}; mend the pass.")
    return [[span for span, (of, _) in zip(best[1], marks, strict=True) if of == side] for side in (0, 1)]


def _places(text: str, mark: str | list[int]) -> Iterator[Span]:
    if not isinstance(mark, str):
        yield mark[0], mark[1]
        return
    for match in re.finditer(rf"(?<!\w){re.escape(mark)}(?!\w)", text):
        yield match.span()


def both_say(text: str, first: Sequence[Span], second: Sequence[Span]) -> list[Span]:
    """Maximal runs of characters that lie in spans of both passes, from whole word to whole word.

    >>> both_say("a man wearing a red hat", [(2, 23)], [(2, 5), (16, 23)])
    [(2, 5), (16, 23)]
    """
    covered = [all(any(s <= at < e for s, e in spans) for spans in (first, second)) for at in range(len(text))]
    for word in _WORD.finditer(text):
        if not all(covered[slice(*word.span())]):
            covered[slice(*word.span())] = [False] * len(word[0])
    runs = re.finditer("1+", "".join("1" if at else "0" for at in covered))
    words = ([word.span() for word in _WORD.finditer(text, *run.span())] for run in runs)
    return [(of_run[0][0], of_run[-1][1]) for of_run in words if of_run]


def read_pass(path: Path) -> dict[int, dict]:
    """Rows of a pass by their line in the pool."""
    return {row["line"]: row for row in map(json.loads, path.read_text(encoding="utf-8").splitlines())}


def written_queries(path: Path) -> Iterator[LabelledText]:
    """The queries of a list with marks in their texts; a line that begins with ## is a comment."""
    source, split = WRITTEN[path.name]
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("## "):
            continue
        text, spans = "", {side: [] for side in SIDES}
        for part in re.split(r"(\{[^{}<>]+\}|<[^{}<>]+>)", line):
            if mark := _MARK.fullmatch(part):
                part = mark[mark.lastgroup]
                spans[mark.lastgroup].append((len(text), len(text) + len(part)))
            text += part
        # Named by its text, so that a query added between others renames none.
        name = f"{source}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
        yield LabelledText(
            name, source, text, tuple(spans["denied"]), tuple(spans["affirmed"]), split or split_of(text)
        )


def merge(folder: Path, pool: list[dict]) -> tuple[list[LabelledText], dict[str, Counter]]:
    """The labelled texts, and what the passes agree on by source."""
    passes = [read_pass(folder / "passes" / f"{name}.jsonl") for name in "ab"]
    if passes[0].keys() != passes[1].keys():
        raise BadInputError(
            f"Both passes are to label the same lines; one alone has {sorted(set(passes[0]) ^ set(passes[1]))}."
        )
    texts, counts = [], {}
    for line in sorted(passes[0]):
        source, text = pool[line]["source"], pool[line]["text"]
        count = counts.setdefault(source, Counter())
        rows = [one[line] for one in passes]
        if any(row.get("skip") for row in rows):
            count["skipped"] += 1
            continue
        placed = [place_marks(text, row["denied"], row["affirmed"]) for row in rows]
        words = [[_words_in(text, spans) for spans in of_pass] for of_pass in placed]
        count["texts"] += 1
        count["same denied"] += words[0][0] == words[1][0]
        count["any denied"] += bool(words[0][0]) == bool(words[1][0])
        for name, first, second in (("denied", 0, 0), ("affirmed", 1, 1)):
            count[f"{name} by both"] += len(words[0][first] & words[1][second])
            count[f"{name} by either"] += len(words[0][first] | words[1][second])
        count["opposed"] += len(words[0][0] & words[1][1]) + len(words[0][1] & words[1][0])
        denied, affirmed = (tuple(both_say(text, placed[0][side], placed[1][side])) for side in (0, 1))
        texts.append(LabelledText(f"{source}-{line}", source, text, denied, affirmed, split_of(text)))
    return texts, counts


_UNMARKED = frozenset("a an the of in on at to and or with is are be has have its his her their".split())


def _words_in(text: str, spans: Sequence[Span]) -> set[Span]:
    return {
        word.span()
        for start, end in spans
        for word in _WORD.finditer(text, start, end)
        if word[0].lower() not in _UNMARKED
    }


def agreement_table(counts: dict[str, Counter]) -> str:
    """Markdown: how far the two passes agree, by source."""
    total = sum(counts.values(), Counter())
    lines = [
        "| source | texts | skipped | same on whether anything is denied | same words denied | F1 of denied words | "
        "F1 of affirmed words | words that one denies and the other affirms |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for source, count in [*sorted(counts.items()), ("all", total)]:
        shares = [f"{100 * count[name] / count['texts']:.1f} %" for name in ("any denied", "same denied")]
        shares += [_f1(count[f"{side} by both"], count[f"{side} by either"]) for side in SIDES]
        lines.append(
            f"| {source} | {count['texts']} | {count['skipped']} | {' | '.join(shares)} | {count['opposed']} |"
        )
    return "\n".join(lines)


def _f1(both: int, either: int) -> str:
    return f"{200 * both / (both + either):.1f} %" if either else "–"


def size_table(texts: Sequence[LabelledText]) -> str:
    """Markdown: how many texts each split has, by source."""
    counts = Counter((text.source, text.split) for text in texts)
    lines = [f"| source | {' | '.join(SPLITS)} |", "|---|---:|---:|---:|"]
    for source in [*sorted({text.source for text in texts})]:
        lines.append(f"| {source} | {' | '.join(str(counts[source, split]) for split in SPLITS)} |")
    sums = (str(sum(counts[key] for key in counts if key[1] == split)) for split in SPLITS)
    return "\n".join([*lines, f"| all | {' | '.join(sums)} |"])


def main(argv: list[str] | None = None) -> int:
    """Write the splits and the tables, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pool", type=Path, help="pool.jsonl, which has the texts")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="the set (default: %(default)s)")
    options = parser.parse_args(argv)
    try:
        texts, counts = merge(options.folder, read_pool(options.pool))
        for name in WRITTEN:
            texts += written_queries(options.folder / name)
    except BadInputError as error:
        print(error, file=sys.stderr)
        return 2
    for split in SPLITS:
        rows = (json.dumps(written_row(text), ensure_ascii=False) for text in texts if text.split == split)
        (options.folder / f"{split}.jsonl").write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    tables = f"{size_table(texts)}\n\n{agreement_table(counts)}\n"
    card = options.folder / "README.md"
    head, _, rest = card.read_text(encoding="utf-8").partition("<!-- figures -->\n")
    _, _, tail = rest.partition("<!-- end of figures -->")
    card.write_text(f"{head}<!-- figures -->\n{tables}<!-- end of figures -->{tail}", encoding="utf-8")
    print(tables, end="")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
