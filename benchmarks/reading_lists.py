"""How many captions of a hand-made list the negation reader reads as the person who wrote them means them.

    python benchmarks/reading_lists.py tests/modeling/data/negation_captions_*.txt

A line of a list is `text | affirmed concepts; … | negated concepts; …`, a line with ## opens a group. A text is read
right where

- each negated concept's words stand together in one negated phrase, and no phrase is without such a concept;
- each affirmed concept's words stand in the affirmed text;
- no concept's words stand on the other side, unless a concept of that side has them too.

What a list does not mention (the place of an absence, a verb) may stand on either side.

A list of frames has places for concepts: `{a}` and `{c}` are affirmed, `{b}` and `{d}` denied, with their article;
`{A}` begins a sentence, `{a0}` has no article, `{as}` is a plural. Each frame is filled `--fillings` times with COCO's
classes.
"""

import argparse
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from notclip.remote.negation_scope import read_scope

# COCO's 80 classes as people write them; those that are always plural last.
COCO_CLASSES = tuple(
    "person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,parking meter,"
    "bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,suitcase,frisbee,snowboard,"
    "sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,wine glass,cup,fork,knife,"
    "spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,couch,potted plant,bed,"
    "dining table,toilet,TV,laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,sink,refrigerator,book,"
    "clock,vase,teddy bear,hair drier,toothbrush,skis,scissors".split(",")
)
_PLURALS = {"person": "people", "sheep": "sheep", "knife": "knives", "mouse": "mice", "broccoli": "broccoli"}

_FUNCTION_WORDS = frozenset("a an the of in to on and or her his its your".split())


@dataclass(frozen=True)
class Meant:
    """A text and what it means."""

    group: str
    text: str
    affirmed: tuple[str, ...]
    negated: tuple[str, ...]


def read_list(path: Path) -> Iterator[Meant]:
    """The captions of a list file."""
    group = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("##"):
            group = line.strip("# ")
        elif line and not line.startswith("#"):
            text, *sides = (part.strip() for part in line.split("|"))
            affirmed, negated = (tuple(filter(None, map(str.strip, side.split(";")))) for side in sides)
            yield Meant(group, text, affirmed, negated)


def fill(frame: Meant, rng: random.Random, concepts_of: Sequence[str] = COCO_CLASSES) -> Meant:
    """A frame with concepts (COCO's) in its places, no two alike and none within another."""
    while True:
        concepts = rng.sample(concepts_of, 4)
        words = [word for concept in concepts for word in _words(concept)]
        if len(set(words)) == len(words):
            break
    places: dict[str, str] = {}
    for letter, concept in zip("abcd", concepts, strict=True):
        article = (
            "" if concept.endswith(("skis", "scissors", "broccoli")) else "an " if concept[0] in "aeiou" else "a "
        )
        plural = _PLURALS.get(concept) or concept + ("" if concept[-1] == "s" and not article else _ending(concept))
        places |= {letter: article + concept, f"{letter}0": concept, f"{letter}s": plural}
        places |= {letter.upper(): _capital(article + concept), f"{letter.upper()}s": _capital(plural)}
    sides = [tuple(part.format(**places) for part in side) for side in (frame.affirmed, frame.negated)]
    return Meant(frame.group, frame.text.format(**places), *sides)


def _ending(concept: str) -> str:
    return "es" if concept.endswith(("s", "ch", "sh", "x")) else "s"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def fault_of(meant: Meant) -> str:
    """What is wrong with how the reader reads a text; empty where nothing is."""
    scope = read_scope(meant.text)
    phrases = [_words(phrase) for phrase in scope.negated]
    affirmed, negated = _words(scope.affirmed), set().union(*phrases)
    concepts = {side: [_words(concept) for concept in getattr(meant, side)] for side in ("affirmed", "negated")}
    said = {side: set().union(*words) for side, words in concepts.items()}
    for words in concepts["negated"]:
        if not any(_holds(phrase, words) for phrase in phrases):
            return f"not negated: {' '.join(sorted(words))}"
        if affirmed & words - said["affirmed"]:
            return f"still affirmed: {' '.join(sorted(words))}"
    for phrase in phrases:
        if not any(_holds(phrase, words) for words in concepts["negated"]):
            return f"wrongly negated: {' '.join(sorted(phrase))}"
    for words in concepts["affirmed"]:
        if not _holds(affirmed, words):
            return f"not affirmed: {' '.join(sorted(words))}"
        if negated & words - said["negated"]:
            return f"wrongly negated: {' '.join(sorted(words))}"
    return ""


def _words(text: str) -> set[str]:
    found = re.findall(r"[a-z0-9]+", text.lower())
    return {_singular(word) for word in found if word not in _FUNCTION_WORDS}


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _holds(words: set[str], wanted: set[str]) -> bool:
    """Whether each wanted word, or one that it begins ("cloud", "cloudless"), is among the words."""
    return all(any(word == part or (len(part) > 3 and word.startswith(part)) for word in words) for part in wanted)


def main(argv: list[str] | None = None) -> int:
    """Print the share of each group that is read right, and every text that is not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lists", type=Path, nargs="+")
    parser.add_argument("--fillings", type=int, default=8, help="how often each frame is filled with concepts")
    parser.add_argument(
        "--concepts", type=Path, help="a file of concepts to fill frames with, one a line; COCO's without"
    )
    parser.add_argument("--quiet", action="store_true", help="shares alone")
    options = parser.parse_args(argv)
    concepts = options.concepts.read_text(encoding="utf-8").splitlines() if options.concepts else COCO_CLASSES
    for path in options.lists:
        rng = random.Random(0)
        captions = [
            fill(meant, rng, concepts) if "{" in meant.text else meant
            for meant in read_list(path)
            for turn in range(options.fillings if "{" in meant.text else 1)
        ]
        faults = {meant: fault for meant in captions if (fault := fault_of(meant))}
        print(f"{path.name}: {_share(len(captions) - len(faults), len(captions))}")
        for group in dict.fromkeys(meant.group for meant in captions):
            wrong = [meant for meant in faults if meant.group == group]
            size = sum(meant.group == group for meant in captions)
            print(f"  {group}: {_share(size - len(wrong), size)}")
            for meant in () if options.quiet else wrong:
                scope = read_scope(meant.text)
                print(f"    {meant.text}\n      {faults[meant]}; read {scope.affirmed!r} {scope.negated}")
    return 0


def _share(right: int, size: int) -> str:
    return f"{right} of {size} read right ({100 * right / size:.1f} %)"


if __name__ == "__main__":
    raise SystemExit(main())
