"""What the name of a class says: a thing, the denial of a thing, or nothing that makes English."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from notclip.errors import BadInputError

# "no-hardhat", "without_mask", "NO Safety Vest", "w/o helmet"; "non-fire" where fire is a class as well.
_DENIED = re.compile(r"(?:no|not|without|w/o|non|absent|absence of|lack of)[ -]+(.+)|(.+?)[ -](?:absent|free)", re.I)
_WITH = re.compile(r"(?:with|w/)[ -]+(.+)", re.I)
_ARTICLE = re.compile(r"^(?:an?|the) +(?=\w\w)", re.I)
_CAMEL = re.compile(r"(?<=[a-z]{2})(?=[A-Z][a-z])")
_ASIDE = re.compile(r"\s*[(\[{].*")  # LVIS: "bow_(weapon)", "monitor_(computer_equipment) computer_monitor".
_NUMBERED = re.compile(r"(?:cls|class|label|category|cat|object|obj|type|item|id|name|n)[ -]?\d+", re.I)
_LETTERS = re.compile(r"[A-Za-zÀ-ÖØ-öø-ɏ]")
_ALLOWED = re.compile(r"[A-Za-zÀ-ÖØ-öø-ɏ0-9 '’.&+-]+")
_SIGN = re.compile(r"(?:sign|signal|symbol|board)s?$", re.I)  # "No entry sign" is a thing.
# Nothing that a noun phrase begins with.
_NO_BEGINNING = frozenset(
    """
    about above across after against along among and are around as at because before behind below beneath beside
    between beyond but by during for from has have if in inside into is near nor not of on onto or out outside over
    since so than that then through to toward towards under until upon via was were when where which while who
    with without no non
    """.split()
)
# "Person without helmet": said to be absent it would deny a denial.
_INSIDE = re.compile(r" (?:no|non|not|without|never) ", re.I)
# Words for whatever no other class fits, and adjectives: "a background", "a mask worn incorrectly", "a door open".
_NO_NOUNS = frozenset(
    """
    abnormal all angry any awake background bad benign bg biodegradable broken clean correct default defective
    different dontcare down drowsy dry empty fail false fallen fine fresh good happy healthy hidden ignore incorrect
    inorganic intact invalid irrelevant left malignant misc miscellaneous missing na nan negative neither neutral ng
    nil none normal nothing null off ok okay old on open organic other others pass positive recyclable rest right ripe
    rotten sad safe true unclear undefineds unhealthy unk unknown unknowns unripe unsafe unsure up valid visible void
    wet worn wrong yes
    """.split()
)
# Behind a noun these are adjectives: "traffic light red".
_COLOURS = frozenset("blue green red yellow".split())
_PARTICIPLE = re.compile(r"(?:\w+[^e\W]ed|\w+ly)$", re.I)  # "Damaged", "incorrectly", but not "weed".
_NO_PARTICIPLES = frozenset(
    """
    assembly bed belly butterfly biped dragonfly family firefly fly grizzly infrared jelly lily moped quadruped shed
    sled trolly
    """.split()
)


@dataclass(frozen=True)
class LabelReading:
    """What one label says.

    Args:
        kind: `thing` (the class is there), `denial` (a thing is not), or `unclear` (it makes no English).
        words: the noun phrase of the thing, or of what is denied.
    """

    kind: Literal["thing", "denial", "unclear"]
    words: str


def words_of_label(label: str) -> str:
    """A label of a data set as a noun phrase; what is written in capitals throughout stays so.

    >>> [words_of_label(label) for label in ("Pleural_Effusion", "Lung Opacity", "LED off", "hand-bag", "StopSign")]
    ['pleural effusion', 'lung opacity', 'LED off', 'hand-bag', 'stop sign']
    """
    words = _CAMEL.sub(" ", label.replace("_", " ")).split()
    return " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in words)


def read_label(label: str, *, known: Iterable[str] = ()) -> LabelReading:
    """Tell what the name of a class says.

    A class such as `no-hardhat` is there where somebody wears none. That somebody else on the same photo wears one its
    own class says, and so the denial speaks only of photos that lack that class.

    >>> [read_label(label) for label in ("Stop_Sign", "NO-Hardhat")]
    [LabelReading(kind='thing', words='stop sign'), LabelReading(kind='denial', words='hardhat')]
    >>> read_label("with_mask").words, [read_label(label).kind for label in ("4", "undefined", "on_table", "安全帽")]
    ('mask', ['unclear', 'unclear', 'unclear', 'unclear'])

    Args:
        label: the name.
        known: words of the other classes: "non-fire" denies only what is a class.
    """
    words = _ASIDE.sub("", words_of_label(label)).strip(" -_")
    if (denied := _DENIED.fullmatch(words)) and not _SIGN.search(words):
        thing = _ARTICLE.sub("", denied.group(1) or denied.group(2)).lower()
        sure = not words.lower().startswith("non") and _is_noun(thing)
        return LabelReading("denial" if sure or thing in known else "unclear", thing)
    if worn := _WITH.fullmatch(words):
        words = worn.group(1)
    words = _ARTICLE.sub("", words)
    return LabelReading("thing" if _is_noun(words) else "unclear", words)


def _is_noun(words: str) -> bool:
    """Whether a phrase may be a noun: what is none for sure is known by its letters, its first word or its last."""
    if not _ALLOWED.fullmatch(words) or len(_LETTERS.findall(words)) < 2 or _NUMBERED.fullmatch(words):
        return False
    first, *_, last = (found := words.lower().split()) * 2
    return not (
        first in _NO_BEGINNING
        or _INSIDE.search(words)
        or last in _NO_NOUNS
        or (len(found) > 1 and last in _COLOURS)
        or (_PARTICIPLE.fullmatch(last) and last not in _NO_PARTICIPLES)
    )


def read_labels(labels: Iterable[str]) -> dict[str, LabelReading]:
    """The same of all labels of a source.

    Raises:
        BadInputError: some make no English, naming them and what to do.
    """
    labels = list(labels)
    known = {reading.words.lower() for reading in map(read_label, labels) if reading.kind == "thing"}
    readings = {label: read_label(label, known=known) for label in labels}
    unclear = [label for label, reading in readings.items() if reading.kind == "unclear"]
    if unclear:
        more = f" and {len(unclear) - 12} more" if len(unclear) > 12 else ""
        raise BadInputError(
            f"{len(unclear)} of {len(labels)} classes of `source` have names that make no English noun: "
            f"{', '.join(map(repr, unclear[:12]))}{more}; say in a YAML file what each is called (`classes`) or that "
            "it is not spoken of (`leave_out`), and name the file in `domain` (docs/domains.md)."
        )
    return readings


def things_of(labels: Iterable[str]) -> dict[str, str]:
    """Labels that name a thing, and the noun phrase of each.

    Raises:
        BadInputError: some make no English, see `read_labels`.
    """
    return {label: reading.words for label, reading in read_labels(labels).items() if reading.kind == "thing"}
