"""Whether a reading of a text is right, as ../shared/data/reading/README.md says.

Every word that the label denies stands in a denied phrase and not in the affirmed text; every word that it affirms
stands in the affirmed text and in no denied phrase. Words in neither list are free; those that name nothing, too.
"""

import re
from collections.abc import Iterable

from reading_set import LabelledText, Span

# Articles, prepositions, pronouns, counts, frames, forms of to be and to have: they never count.
UNCOUNTED = frozenset(
    "a an the and or of in on at to with for from by into onto upon over under near off out up down as about around "
    "along across through between behind beside above below against within inside outside toward towards during "
    "is are am was were be been being has have had having do does did can there here "
    "i you he she it we they me him her us them my your his its our their this that these those who whose which what "
    "one ones any some no not at least more less most than other each both all every s t "
    "wearing wears worn shown showing shows visible seen image images picture pictures photo photos".split()
)
_WORD = re.compile(r"[^\W_]+")
_PLURALS = {"men": "man", "women": "woman", "children": "child", "people": "person", "feet": "foot", "teeth": "tooth"}


def singular(word: str) -> str:
    """A word without its plural's ending, so that both forms are the same word.

    >>> [singular(word) for word in ("dogs", "dresses", "ladies", "glass", "men")]
    ['dog', 'dress', 'lady', 'glass', 'man']
    """
    if word in _PLURALS:
        return _PLURALS[word]
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    if len(word) > 4 and word.endswith(("ses", "xes", "ches", "shes", "zes")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def counted_words(texts: Iterable[str]) -> set[str]:
    """The words that count, in the singular.

    >>> sorted(counted_words(["the red cars", "T-Shirt"]))
    ['car', 'red', 'shirt']
    """
    words = (word for text in texts for word in _WORD.findall(text.lower()))
    return {singular(word) for word in words if word not in UNCOUNTED}


def said_in(text: str, spans: Iterable[Span]) -> set[str]:
    """The words that count in the spans of a text."""
    return counted_words(text[start:end] for start, end in spans)


def fault_of(labelled: LabelledText, affirmed: str, negated: Iterable[str]) -> str:
    """What is wrong with a reading of a text; empty where it is right."""
    denied_words, affirmed_words = (said_in(labelled.text, spans) for spans in (labelled.denied, labelled.affirmed))
    read_affirmed, read_negated = counted_words([affirmed]), counted_words(negated)
    faults = {
        "not denied": denied_words - read_negated,
        "still affirmed": denied_words & read_affirmed,
        "lost": affirmed_words - read_affirmed,
        "wrongly denied": affirmed_words & read_negated,
    }
    return "; ".join(f"{name}: {' '.join(sorted(words))}" for name, words in faults.items() if words)


def counts(labelled: LabelledText) -> bool:
    """Whether a label says anything that a reading could get wrong."""
    return bool(said_in(labelled.text, labelled.denied + labelled.affirmed))
