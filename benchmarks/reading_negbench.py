"""How many NegBench choices the negation reader sorts into the right affirmed and negated concepts.

    python benchmarks/reading_negbench.py ../shared/data/negbench [--errors 20]

The truth comes from the files' option patterns, not from any reader: caption_1 affirms N and denies A, caption_2
affirms N, caption_3 denies A, and caption_0 is A and B (positive), A but not N (hybrid) or not N (negative). A choice
whose text does not carry its pattern's concepts, or that holds the paraphraser's chatter, is broken: counted, and left
out. A choice that denies without a word of negation ("but she remains silent") is not broken and counts as an error.
"""

import argparse
import ast
import csv
import re
from collections import Counter
from pathlib import Path

from notclip.remote.negation_scope import read_scope

# VOC's classes by the words that the paraphraser uses for them.
VOC_WORDS = {
    "aeroplane": "aeroplane airplane plane aircraft",
    "bicycle": "bicycle bike cyclist",
    "bird": "bird",
    "boat": "boat ship",
    "bottle": "bottle",
    "bus": "bus buse",
    "car": "car automobile",
    "cat": "cat kitten",
    "chair": "chair",
    "cow": "cow cattle",
    "diningtable": "table diningtable",
    "dog": "dog puppy",
    "horse": "horse",
    "motorbike": "motorbike motorcycle",
    "person": "person people individual human man woman anyone anybody someone nobody somebody",
    "pottedplant": "plant pottedplant",
    "sheep": "sheep",
    "sofa": "sofa couch",
    "train": "train",
    "tvmonitor": "tv monitor television tvmonitor",
}
VOC_OF_WORD = {word: name for name, words in VOC_WORDS.items() for word in words.split()}
CHATTER = re.compile(
    r"caption|rephras|original|answer|incorrect|your turn|\(or\)|\"\s*or\s*\"|note:|->|→|acceptable|example|should be|"
    r"becomes|rewritten|changed to|clear and|concise|will be|please|guidelines|#|//|added '|"
    r"\"\s+(?:and|is|was|can|remains|doesn)\b",
    re.IGNORECASE,
)


def concepts_of_template(template: str, a: str, b: str, n: str) -> list[tuple[set[str], set[str]]]:
    """(affirmed, negated) of the four choices of one question."""
    first = {"positive": ({a, b}, set()), "hybrid": ({a}, {n}), "negative": (set(), {n})}[template]
    return [first, ({n}, {a}), ({n}, set()), (set(), {a})]


def voc_mentions(text: str) -> set[str]:
    """VOC classes whose words stand in a text."""
    words = re.findall(r"[a-z]+", text.lower().replace("no one", "nobody"))
    found = {VOC_OF_WORD[form] for word in words for form in (word, word.removesuffix("s")) if form in VOC_OF_WORD}
    return found | ({"diningtable"} if "dining" in words else set())


def voc_choices(path: Path) -> list[tuple[str, set[str], set[str]]]:
    """Every (text, affirmed, negated) whose truth its own question determines."""
    choices = []
    for row in csv.DictReader(path.open(encoding="utf-8")):
        captions = [row[f"caption_{i}"] for i in range(4)]
        mentions = [voc_mentions(caption) for caption in captions]
        template = row["correct_answer_template"]
        n = (
            _one(mentions[2])
            or _one(mentions[1] - mentions[3])
            or (_one(mentions[0]) if template == "negative" else "")
        )
        a = _one(mentions[3]) or _one(mentions[1] - {n})
        b = ""
        if template == "positive":  # what caption_1 denies may be either of caption_0's two
            b = _one(mentions[0] - {a}) or "?"
        truths = concepts_of_template(template, a or "?", b, n or "?")
        if template == "positive" and len(mentions[1] - {n}) == 1:
            truths[1] = ({n}, mentions[1] - {n})
        choices += [(caption, *truth) for caption, truth in zip(captions, truths, strict=True)]
    return choices


def _one(names: set[str]) -> str:
    return next(iter(names)) if len(names) == 1 else ""


def measure_voc(path: Path) -> tuple[int, list[str], list[str]]:
    """Returns the number of sound choices, the wrongly read ones and the broken ones."""
    sound, wrong, broken = 0, [], []
    for text, affirmed, negated in voc_choices(path):
        if "?" in affirmed | negated or voc_mentions(text) != affirmed | negated or CHATTER.search(text):
            broken.append(text)
            continue
        sound += 1
        scope = read_scope(text)
        read = voc_mentions(scope.affirmed), voc_mentions(" ; ".join(scope.negated))
        if read != (affirmed, negated):
            wrong.append(
                f"{text}\n      read {scope.affirmed!r} {scope.negated}; truth {affirmed or ''} not {negated or ''}"
            )
    return sound, wrong, broken


def stem(word: str) -> str:
    """The first letters of a word, enough to tell "dance" and "dancing" for the same."""
    return word.lower()[: max(3, min(5, len(word) - 2))]


def has_concept(text: str, concept: str) -> bool:
    """Whether any word of a concept stands in a text, by its stem."""
    words = re.findall(r"[a-z]+", text.lower())
    return any(word.startswith(stem(part)) for part in concept.split() for word in words)


def measure_msr_vtt(path: Path) -> tuple[int, list[str], list[str]]:
    """As measure_voc; the concepts of a choice are the words it shares with the other choices of its question."""
    sound, wrong, broken = 0, [], []
    kinds = {"positive": "affirmation", "hybrid": "hybrid", "negative": "negation"}
    for row in csv.DictReader(path.open(encoding="utf-8")):
        captions = [row[f"caption_{i}"] for i in range(4)]
        template = row["correct_answer_template"]
        expected = [kinds[template], "hybrid", "affirmation", "negation"]
        affirmed_words = _content(captions[2])
        for i, caption in enumerate(captions):
            if CHATTER.search(caption) or not _content(caption):
                broken.append(caption)
                continue
            sound += 1
            scope = read_scope(caption)
            right = scope.kind == expected[i]
            negated = " ; ".join(scope.negated)
            if (
                i == 1
            ):  # what caption_2 affirms is affirmed here, and denied by caption_0 of a negative or hybrid question
                right &= not (affirmed_words & _content(negated)) and (
                    not affirmed_words & _content(caption) or bool(affirmed_words & _content(scope.affirmed))
                )
            elif i == 0 and template != "positive":
                right &= not (affirmed_words & _content(scope.affirmed)) and (
                    not affirmed_words & _content(caption) or bool(affirmed_words & _content(negated))
                )
            if not right:
                wrong.append(
                    f"[{expected[i]}] {caption}\n      read {scope.affirmed!r} {scope.negated}; others: {captions}"
                )
    return sound, wrong, broken


_FRAME = frozenset(
    "this the that a an is are was be been of in on at to by for with no not and or but as it its you your we "
    "all here there will video videos footage content clip scene scenes image appears appear appearance shown "
    "show shows showcases showcased feature features featured focus present presented included includes "
    "include display displayed displays main takes center stage visible seen without any lacks absent absence "
    "while whereas noticeably notably sight find found nowhere see does do makes make highlighted highlights "
    "taking central element part involved involves contain contains depicted depicts don isn doesn what about "
    "action scenery has have can over theme themes visuals involving various key one some located set".split()
)


def _content(text: str) -> set[str]:
    return {stem(word) for word in re.findall(r"[a-z]+", text.lower()) if word not in _FRAME and len(word) > 2}


def measure_retrieval(path: Path) -> tuple[int, list[str], list[str]]:
    """Long captions: the words of the negated concept are read as negated, those of the affirmed ones as affirmed."""
    sound, wrong, broken = 0, [], []
    for row in csv.DictReader(path.open(encoding="utf-8")):
        text = ast.literal_eval(row["captions"])[0]
        absent = row["negative_concept"]
        if not has_concept(text, absent):
            broken.append(f"{text} (without {absent!r})")
            continue
        sound += 1
        scope = read_scope(text)
        negated = " ; ".join(scope.negated)
        present = [row[f"positive_concept{i}"] for i in (1, 2)]
        present = [
            concept for concept in present if has_concept(text, concept) and not _content(concept) & _content(absent)
        ]
        right = has_concept(negated, absent) and bool(scope.affirmed)
        right &= all(has_concept(scope.affirmed, concept) for concept in present)
        if not right:
            wrong.append(f"{text}\n      read {scope.affirmed!r} {scope.negated}; truth {present} not {absent!r}")
    return sound, wrong, broken


def main(argv: list[str] | None = None) -> int:
    """Print the share of rightly read choices per file, with what went wrong and what was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--errors", type=int, default=20, help="how many wrong and broken texts to print per file")
    options = parser.parse_args(argv)
    for name, measure in (
        ("VOC2007_mcq_llama3.1_rephrased.csv", measure_voc),
        ("msr_vtt_mcq_rephrased_llama.csv", measure_msr_vtt),
        ("msr_vtt_retrieval_rephrased_llama.csv", measure_retrieval),
    ):
        sound, wrong, broken = measure(options.folder / name)
        print(
            f"{name}: {100 * (sound - len(wrong)) / sound:.2f} % of {sound} read right; {len(broken)} broken left out"
        )
        for title, texts in (("wrong", wrong), ("broken", [text for text, _ in Counter(broken).most_common()])):
            for text in texts[: options.errors]:
                print(f"  {title}: {text}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
