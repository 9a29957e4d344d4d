"""How many texts that nobody tuned for the reader of negation reads rightly, by source.

    python benchmarks/reading.py [--split development] [--errors 20]
    python benchmarks/reading.py --split test --out docs/results/reading/test.json    # for notclip-reader's card

The texts and labels are those of benchmarks/reading_data; what counts as right stands in reading_judge.py. Texts that
may not be passed on are read from ../shared/data/reading where it is there, X-ray reports from ../shared/data/openi.
Beside our reader stand the labels of its network alone, as `pipeline("token-classification")` gives them, and
negspacy and medspacy where they are installed: they do not find phrases, so they are told the labelled ones and say of
each whether it is denied. Intervals are Wilson's, 95 %. The one look at `--split test` is
for a reader that is finished: what is tuned on it tells nothing.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from reading_judge import counts, fault_of
from reading_openi import Denies, measure, read_reports
from reading_others import medspacy_denies, negspacy_denies
from reading_set import FOLDER, SPLITS, WITHHELD, LabelledText, read_split
from scipy.stats import binomtest

from notclip.errors import BadInputError
from notclip.files.derived import file_digest
from notclip.files.whole_files import write_whole
from notclip.provenance import git_commit
from notclip.reader_folder import write_reader
from notclip.remote.negation_scope import NegationScope, read_scope, read_scopes
from notclip.remote.reading_tagger import WEIGHTS

SHARED = Path(__file__).parents[2] / "shared" / "data"
FOREIGN = FOLDER / "foreign.txt"
PEOPLE = ("fashioniq", "flickr30k", "negrefcocog", "nlvr2")
GROUPS = {"people's captions, phrases, edits": PEOPLE, "search queries": ("queries", "queries-own", "queries-apps")}
PUBLISHED = "all that may be passed on"

Measured = dict[str, Any]

_PIECES = (
    "no not without none neither nor n't lacks except but and or with never nobody nothing instead of than free minus "
    "exclude: label: -person: AND OR NOT a the man men dog cats red car is are there who whose has 737-200 t-shirt "
    'x-ray -5 °C "black and white" St. . , ; : ( ) " \' - – ! ! & * ~ / \n \t é ß 犬 🐶 \u200b İ'
).split(" ")


def share(right: int, size: int) -> str:
    """A share with its interval, for a table.

    >>> share(9, 10)
    '90.0 % (59.6–98.2)'
    """
    if not size:
        return "–"
    found = measured_share(right, size)
    return f"{100 * found['value']:.1f} % ({100 * found['low']:.1f}–{100 * found['high']:.1f})"


def measured_share(right: int, size: int) -> Measured:
    """A share of one text or more with its interval, for a results file."""
    limits = binomtest(right, size).proportion_ci(method="wilson")
    return {"texts": size, "right": right, "value": right / size, "low": limits.low, "high": limits.high}


def ours_is_right(text: LabelledText) -> str:
    """What our reader reads wrongly; empty where nothing."""
    scope = read_scope(text.text)
    return fault_of(text, scope.affirmed, scope.negated)


def ours_denies(text: str, phrases: Sequence[tuple[int, int]]) -> list[bool]:
    """Whether our reader's denied spans touch each phrase."""
    spans = read_scope(text).spans
    return [any(start < until and since < end for start, end in spans) for since, until in phrases]


def labels_alone() -> Callable[[LabelledText], bool]:
    """Whether a text is read rightly by the labels that `pipeline("token-classification")` gives its words."""
    from transformers import pipeline

    options = {"trust_remote_code": True, "aggregation_strategy": "average", "device": "cpu"}
    with tempfile.TemporaryDirectory() as folder:
        write_reader(Path(folder))
        label = pipeline("token-classification", folder, **options)

    def is_right(text: LabelledText) -> bool:
        spans = [(found["entity_group"], text.text[found["start"] : found["end"]]) for found in label(text.text)]
        affirmed = " ".join(phrase for group, phrase in spans if group == "affirmed")
        return not fault_of(text, affirmed, [phrase for group, phrase in spans if group in ("denied", "shared")])

    return is_right


def told_is_right(denies: Denies, text: LabelledText) -> bool:
    """Whether a reader that is told the labelled phrases denies those that are denied and no other."""
    truth = [True] * len(text.denied) + [False] * len(text.affirmed)
    return denies(text.text, text.denied + text.affirmed) == truth


def random_texts(size: int, seed: int = 0) -> Iterator[str]:
    """Strings of words, cues, signs and letters of any kind, in no order that anybody would write."""
    rng = random.Random(seed)
    for _ in range(size):
        raw_shards = [
            rng.choice(_PIECES)
            if rng.random() < 0.9
            else chr(rng.choice((rng.randrange(32, 127), rng.randrange(0xD7FF))))
            for _ in range(rng.randrange(25))
        ]
        yield rng.choice(("", " ", " ", " ")).join(raw_shards)


def broken_invariants(text: str, scope: NegationScope) -> Iterator[str]:
    """What a reading breaks of what it promises for every string."""
    for start, end in (*scope.spans, *scope.affirmed_spans, *scope.cue_spans):
        if not 0 <= start < end <= len(text):
            yield f"the span {start}–{end} lies outside the text"
    for start, end in scope.spans:
        if any(start < until and since < end for since, until in scope.affirmed_spans):
            yield f"the span {start}–{end} is both affirmed and denied"
    if not all(phrase.strip() for phrase in scope.negated):
        yield "an empty phrase is denied"
    if bool(scope.negated) != bool(scope.spans):
        yield "phrases without spans, or spans without phrases"
    if not scope.negated and not scope.cue_spans and scope.affirmed != text:
        yield "nothing is denied, but the text is changed"


def microseconds(read: Callable[[Any], object], texts: Sequence[Any]) -> list[float]:
    """The least time of each text over three runs."""
    best = [float("inf")] * len(texts)
    for _ in range(3):
        for place, text in enumerate(texts):
            started = time.perf_counter_ns()
            read(text)
            best[place] = min(best[place], (time.perf_counter_ns() - started) / 1000)
    return best


def main(argv: list[str] | None = None) -> int:
    """Print the tables, as Markdown, and write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", choices=SPLITS, default="development")
    parser.add_argument("--errors", type=int, default=0, help="how many wrongly read texts to print per source")
    parser.add_argument("--strings", type=int, default=20_000, help="how many random strings to read")
    parser.add_argument("--out", type=Path, help="JSON of what was measured, for notclip stage-reader")
    parser.add_argument("--shared", type=Path, default=SHARED, help="the folder with reading/ and openi/")
    options = parser.parse_args(argv)
    pool = options.shared / "reading" / "pool.jsonl"
    if not pool.exists():
        print(f"{pool} is absent: texts that may not be passed on are left out.")
    try:
        texts = read_split(options.split, pool=pool if pool.exists() else None)
    except BadInputError as error:
        print(error, file=sys.stderr)
        return 2
    others = {"negspacy": negspacy_denies(), "medspacy": medspacy_denies()}
    for name in [name for name, denies in others.items() if denies is None]:
        print(f"{name} is not installed (pip install {name}): left out.")
        del others[name]
    measured = {
        "split": options.split,
        "rightly_read": print_shares(texts, others, options.errors),
        "reports": print_reports(options.shared / "openi", {"ours": ours_denies, **others}),
        "languages": print_languages(texts),
        "microseconds": print_times(texts),
        "random_strings": print_strings(options.strings),
        "provenance": {
            "command": ["python", "benchmarks/reading.py", *(sys.argv[1:] if argv is None else argv)],
            "weights_sha256": file_digest(WEIGHTS),
            "data": {f"{options.split}.jsonl": file_digest(FOLDER / f"{options.split}.jsonl")},
            "code": {"git_commit": git_commit()},
        },
    }
    if options.out:
        write_whole(options.out, json.dumps(measured, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    return 0


def print_shares(texts: Sequence[LabelledText], others: dict[str, Denies], errors: int) -> Measured:
    """Whole texts right by source, plain captions wrongly split, and texts that the reader got wrong."""
    judged = [text for text in texts if counts(text)]
    by_labels = labels_alone()
    right = {
        "ours": {text.id: not ours_is_right(text) for text in judged},
        "labels alone": {text.id: by_labels(text) for text in judged},
    }
    for name, denies in others.items():
        right[name] = {text.id: told_is_right(denies, text) for text in judged}
    sources = sorted({text.source for text in judged})
    print(f"\n| source | texts | ours | labels alone |{''.join(f' {name}, told the phrases |' for name in others)}")
    print(f"|---|---:|---:|---:|{'---:|' * len(others)}")
    measured: Measured = {}
    groups = GROUPS | {PUBLISHED: tuple(set(sources) - WITHHELD), "all": tuple(sources)}
    for title, group in ({source: (source,) for source in sources} | groups).items():
        of_group = [text.id for text in judged if text.source in group]
        sums = {reader: sum(of_reader[name] for name in of_group) for reader, of_reader in right.items()}
        print(f"| {title} | {len(of_group)} | {' | '.join(share(found, len(of_group)) for found in sums.values())} |")
        if of_group:
            measured[title] = {reader: measured_share(found, len(of_group)) for reader, found in sums.items()}
    left_out = Counter(text.source for text in texts if not counts(text))
    print(f"\nLabels in which no word counts, left out: {dict(sorted(left_out.items()))}.")
    plain = [text for text in texts if text.source == "plain"]
    print(f"Plain captions wrongly split: {share(sum(bool(read_scope(t.text).negated) for t in plain), len(plain))}.")
    for source in sources if errors else ():
        for text in [text for text in judged if text.source == source and not right["ours"][text.id]][:errors]:
            scope = read_scope(text.text)
            print(f"  {text.id}: {text.text}\n      {ours_is_right(text)}; read {scope.affirmed!r} {scope.negated}")
    return measured


def print_reports(folder: Path, readers: dict[str, Denies]) -> Measured:
    """Mentions of findings in X-ray reports read as absent, and findings by report."""
    if not folder.exists():
        print(f"\n{folder} is absent: no reports.")
        return {}
    reports = read_reports(folder)
    print(
        f"\n| {len(reports)} OpenI reports | mentions in normal ones read as absent | F1 of findings by report "
        "| where hedged mentions are none |"
    )
    print("|---|---:|---:|---:|")
    measured = {}
    for name, denies in readers.items():
        figures = measure(reports, denies)
        absent = share(figures.read_absent, figures.absent)
        f1s = {"f1": figures.f1, "f1_unhedged": figures.f1_unhedged}
        print(f"| {name} | {absent} of {figures.absent} | {' | '.join(f'{100 * f1:.1f}' for f1 in f1s.values())} |")
        measured[name] = {"read_as_absent": measured_share(figures.read_absent, figures.absent), **f1s}
    return measured


def print_languages(texts: Sequence[LabelledText]) -> Measured:
    """Texts of other languages that are left whole, and English ones that are not read."""
    foreign = [line.split("\t") for line in FOREIGN.read_text(encoding="utf-8").splitlines() if line[:2] != "##"]
    print("\n| language | texts | left whole | named rightly |\n|---|---:|---:|---:|")
    measured = {}
    for title, of_language in [
        *((name, [text for of, text in foreign if of == name]) for name in dict.fromkeys(of for of, _ in foreign)),
        ("all", [text for _, text in foreign]),
        ("all, those not looked at", [text for _, text in foreign[1::2]]),
    ]:
        named = {text: name for name, text in foreign}
        scopes = read_scope(of_language)
        whole = sum(scope.affirmed == scope.text for scope in scopes)
        right = sum(scope.language == named[scope.text] for scope in scopes)
        print(f"| {title} | {len(scopes)} | {share(whole, len(scopes))} | {share(right, len(scopes))} |")
        measured[title] = {
            "left_whole": measured_share(whole, len(scopes)),
            "rightly_named": measured_share(right, len(scopes)),
        }
    unread = [scope.text for scope in read_scope([text.text for text in texts]) if scope.language != "en"]
    print(f"English texts taken for another language: {share(len(unread), len(texts))}: {unread[:5]}.")
    return measured


def print_times(texts: Sequence[LabelledText]) -> Measured:
    """Time a text, without the reader's cache: one by one, those with and without a cue, and all together."""
    of_plain = [text.text for text in texts if text.source == "plain"]
    of_others = [text.text for text in texts if text.source != "plain"]
    measured = {}
    for title, kind in (("that may deny", of_others), ("plain", of_plain)):
        if kind:
            times = microseconds(lambda text: read_scopes([text]), kind)
            found = {"median": statistics.median(times), "99th percentile": statistics.quantiles(times, n=100)[98]}
            found["together"] = microseconds(read_scopes, [kind])[0] / len(kind)
            print(
                f"\nTime a text, of {len(kind)} {title}, one by one: median {found['median']:.0f} µs, "
                f"99th percentile {found['99th percentile']:.0f} µs; together {found['together']:.0f} µs each."
            )
            measured[title] = found
    return measured


def print_strings(size: int) -> Measured:
    """Random strings without an error or a broken promise."""
    broken = Counter[str]()
    examples: dict[str, str] = {}
    for text in random_texts(size):
        try:
            faults = list(broken_invariants(text, read_scopes([text])[0]))
        except Exception as error:  # Whatever it raises is a fault of the reader, to be counted.
            faults = [f"raises {type(error).__name__}"]
        for fault in {"".join(" " if letter.isdigit() else letter for letter in fault) for fault in faults}:
            broken[fault] += 1
            examples.setdefault(fault, text)
    print(f"{size} random strings: {sum(broken.values())} broken promises.")
    for fault, times in broken.most_common():
        print(f"  {times} × {' '.join(fault.split())}, as in {examples[fault]!r}")
    return {"texts": size, "broken_promises": sum(broken.values())}


if __name__ == "__main__":
    sys.exit(main())
