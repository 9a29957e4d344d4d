"""Time of the negation reader per caption, beside a clinical negation tagger on the same texts and the same concepts.

    pip install negspacy
    python benchmarks/negation_scope_speed.py ../shared/data/negbench [--captions 4000]

negspacy (NegEx on spaCy, https://github.com/jenojp/negspacy) decides for given entities whether they are negated. It
gets VOC's twenty classes as entities from an EntityRuler, no model, so that both readers face the same task: which
classes a choice of NegBench's VOC file affirms and which it denies. Ours is timed without its cache.
"""

import argparse
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from negation_scope_accuracy import CHATTER, VOC_OF_WORD, VOC_WORDS, voc_choices, voc_mentions

from notclip.remote.negation_scope import read_scope

Parts = tuple[set[str], set[str]]


def read_with_notclip(text: str) -> Parts:
    """(affirmed, negated) classes by our reader."""
    scope = read_scope.__wrapped__(text)
    return voc_mentions(scope.affirmed), voc_mentions(" ; ".join(scope.negated))


def negspacy_reader() -> Callable[[str], Parts]:
    """(affirmed, negated) classes by negspacy with its own English term set."""
    import spacy
    from negspacy.negation import Negex  # noqa: F401  (registers the "negex" pipe)
    from negspacy.termsets import termset

    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer")
    ruler = pipeline.add_pipe("entity_ruler")
    ruler.add_patterns(
        [
            {"label": "THING", "id": name, "pattern": [{"LOWER": form}]}
            for name, words in VOC_WORDS.items()
            for word in words.split()
            for form in (word, f"{word}s")
        ]
        + [{"label": "THING", "id": "diningtable", "pattern": [{"LOWER": "dining"}, {"LOWER": "table"}]}]
        + [{"label": "THING", "id": "pottedplant", "pattern": [{"LOWER": "potted"}, {"LOWER": "plant"}]}]
    )
    pipeline.add_pipe("negex", config={"neg_termset": termset("en").get_patterns()})

    def read(text: str) -> Parts:
        entities = pipeline(text).ents
        return {e.ent_id_ for e in entities if not e._.negex}, {e.ent_id_ for e in entities if e._.negex}

    return read


def microseconds(read: Callable[[str], object], texts: Sequence[str], repeats: int) -> float:
    """The least time per text over several runs, in microseconds of this process."""
    best = float("inf")
    for _ in range(repeats):
        started = time.process_time()
        for text in texts:
            read(text)
        best = min(best, time.process_time() - started)
    return best / len(texts) * 1e6


def main(argv: list[str] | None = None) -> int:
    """Print one row per reader: time on plain and on negated captions, and the share of choices read right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--captions", type=int, default=4000, help="choices drawn from the VOC file")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    choices = [
        choice
        for choice in voc_choices(options.folder / "VOC2007_mcq_llama3.1_rephrased.csv")
        if voc_mentions(choice[0]) == choice[1] | choice[2] and not CHATTER.search(choice[0])
    ]
    choices = random.Random(options.seed).sample(choices, min(options.captions, len(choices)))
    plain = [text for text, _, negated in choices if not negated]
    negated = [text for text, _, negated in choices if negated]
    readers = {"notclip": read_with_notclip}
    try:
        readers["negspacy"] = negspacy_reader()
    except ImportError:
        print("negspacy is not installed (pip install negspacy): timing our reader alone.")
    timed = {"notclip": read_scope.__wrapped__, "negspacy": readers.get("negspacy")}
    print(f"{len(plain)} affirmative and {len(negated)} negated choices; {len(VOC_OF_WORD)} words of 20 classes")
    print("| reader | µs, affirmative | µs, negated | choices read right |")
    print("|---|---|---|---|")
    for name, read in readers.items():
        right = sum(read(text) == (affirmed, denied) for text, affirmed, denied in choices)
        times = [microseconds(timed[name], texts, 3) for texts in (plain, negated)]
        print(f"| {name} | {times[0]:.0f} | {times[1]:.0f} | {100 * right / len(choices):.2f} % |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
