"""Operators of search, by which people exclude in any language: `beach -people`, `cat NOT dog`, `label:!bird`.

    query   = term*                      terms stand beside each other, or between AND, OR, &, |, comma
    term    = ["NOT"] [sign] [field] [sign] value
    sign    = "-" | "–" | "!" | "+"      at the start of a term, with nothing between it and what it excludes
    field   = name ":" | name "!:" | name "!="
    value   = word | "a quoted phrase" | "(" query ")"

`-x`, `!x`, `NOT x`, `field:!x`, `-field:x`, `field!=x` exclude x, as do the fields that say so themselves
(`exclude:x`, `without:x`, `not: x, y`, `--no x, y`). Before a parenthesis all that stands in it is excluded; what is
excluded twice is wanted. `-face:yes` and `-face:*` exclude a face. A field's name is no part of what is looked for.

A hyphen is a hyphen within a word (t-shirt), before a digit (-5 °C), with a space behind it (rock - live), and where
another closes it (-so-). NOT is English behind a verb ("is NOT red"), before "only", and in a text all in capitals.
A sign takes one word. So does NOT that opens a query ("NOT nude statue"); behind what is wanted it takes up to three
words, to the next operator, comma or preposition ("red hair NOT platinum blonde hair").
"""

import re
from dataclasses import dataclass, field

Span = tuple[int, int]

_NEGATING_FIELDS = frozenset(
    "exclude excludes excluded excluding except without not no omit minus hide remove subtract sub".split()
)
_LISTING_FIELDS = frozenset("exclude excluding except without not negative".split())
_NEGATING_WORDS = frozenset(("NOT", "WITHOUT", "EXCLUDE", "EXCLUDING", "EXCEPT", "MINUS"))
_CONNECTIVES = frozenset(("AND", "OR", "and", "or", "BUT", "&", "&&", "|", "||", ",", ";"))
_ENGLISH_BEFORE = frozenset(
    "is are was were be been am do does did has have had can could will would should must may might why if".split()
)
_ENGLISH_AFTER = frozenset("only just merely simply enough".split())
_ARTICLES = frozenset("a an the any my".split())
_ENDS_OF_RUN = frozenset("in on at by with from of near to for without no not just only".split())
_NEITHER = frozenset(("no", "false", "none", "0"))
_WHOLE_FIELD = frozenset(("yes", "true", "1", "any"))
_ENGLISH_CUES = frozenset("no not without none never".split())
_TAG_WITH_NUMBER = re.compile(r"\d+[^\W\d]{4}")  # -1girl, but not -5 °C nor -35mm
_MOST_WORDS = 3

_MAY_EXCLUDE = re.compile(
    r"(?:^|[\s(,;:&|\"“])[-–−!+]+\w|[-–−!][\"“'(*+]|\b(?:NOT|WITHOUT|EXCLUDE|EXCLUDING|EXCEPT|MINUS)\b|![:=]|"
    r"\b(?:exclud\w*|except|without|not|no|omit|minus|hide|remove|negative)[\w-]*:|\w:(?:no|none|false)\b",
)
_TOKEN = re.compile(r'"[^"]*"?|“[^”]*”?|(?:[-!]|\w+:)+\'[^\']+\'|[()]|[&|]{1,2}|[,;]|[^\s()&|,;"“”]+')
_TERM = re.compile(
    r"(?P<sign>[-–−!+*]*)(?:(?P<name>[^\W\d][\w-]*?)(?P<equals>!?[:=])(?!//)(?P<inner>[-–−!+*]*))?(?P<value>.*)",
    re.DOTALL,
)
_EDGES = "*+.,;:!?'’"


@dataclass
class Operators:
    """What the operators of a query exclude; everything else is for the reader of English.

    Attributes:
        denied: spans of excluded words, one a phrase.
        cues: spans of the operators that exclude.
        dropped: spans of connectives, parentheses and names of fields.
    """

    denied: list[Span] = field(default_factory=list)
    cues: list[Span] = field(default_factory=list)
    dropped: list[Span] = field(default_factory=list)

    def rest(self, text: str) -> str:
        """The text with blanks for what the operators account for, of the same length."""
        letters = list(text)
        for start, end in (*self.denied, *self.cues, *self.dropped):
            letters[start:end] = " " * (end - start)
        return "".join(letters)


def read_operators(text: str) -> Operators | None:
    """What operators exclude in a query; None where there are none, which leaves the text to the reader of English.

    >>> text = 'beach -people NOT "palm tree"'
    >>> [text[start:end] for start, end in read_operators(text).denied]
    ['people', 'palm tree']
    >>> read_operators("a t-shirt at -5 °C") is None
    True
    """
    if not _MAY_EXCLUDE.search(text):
        return None
    found = _Query(text).read()
    return found if found.denied or found.cues else None


class _Query:
    """One reading of a query from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [match.span() for match in _TOKEN.finditer(text)]
        self.words = [text[start:end] for start, end in self.tokens]
        self.found = Operators()
        self.shouts = not any(letter.islower() for letter in text)
        self.wants = False  # whether something wanted was read

    def read(self) -> Operators:
        """Read term by term; a stack of parentheses says what stands in an excluded one."""
        depths: list[bool] = []
        denies, at = False, 0  # whether a sign or NOT waits for its value
        while at < len(self.words):
            word, (start, end) = self.words[at], self.tokens[at]
            inside = depths[-1] if depths else False
            if word == "(":
                depths.append(inside != denies)
                self.found.dropped.append((start, end))
                denies, at = False, at + 1
            elif word == ")":
                if depths:
                    depths.pop()
                self.found.dropped.append((start, end))
                denies, at = False, at + 1
            elif word in _CONNECTIVES:
                self._connect(start, end, inside=inside)
                at += 1
            elif self._is_word_of_negation(at):
                self.found.cues.append((start, end))
                at = self._take_run(at + 1) if self.wants and not inside else at + 1
                denies = at <= len(self.words) and self.tokens[at - 1] == (start, end)
            else:
                denies, at = self._read_term(at, denies=denies, inside=inside)
        return self.found

    def _connect(self, start: int, end: int, *, inside: bool) -> None:
        """AND and & go; what joins two wanted words, and commas, stay for the reader of English."""
        if inside or self.text[start:end] in ("AND", "&", "&&", "|", "||", "BUT"):
            self.found.dropped.append((start, end))

    def _is_word_of_negation(self, at: int) -> bool:
        word = self.words[at]
        if word not in _NEGATING_WORDS or self.shouts:
            return False
        before = self.words[at - 1].lower() if at else ""
        after = self.words[at + 1].lower() if at + 1 < len(self.words) else ""
        return bool(after) and before not in _ENGLISH_BEFORE and after not in _ENGLISH_AFTER and after != ")"

    def _take_run(self, at: int) -> int:
        """Exclude the words behind NOT; gives `at` itself where a sign, quotation or parenthesis stands there."""
        while at < len(self.words) and self.words[at].lower() in _ARTICLES:
            self.found.dropped.append(self.tokens[at])
            at += 1
        stop = at
        while stop < len(self.words) and self._continues(stop):
            stop += 1
        if stop == at:
            return at
        stop = stop if stop - at <= _MOST_WORDS else at + 1
        self._deny(self.tokens[at][0], self.tokens[stop - 1][1])
        return stop

    def _continues(self, at: int) -> bool:
        word = self.words[at]
        return (
            word[0].isalnum()
            and ":" not in word
            and "!=" not in word
            and word not in _CONNECTIVES
            and word not in _NEGATING_WORDS
            and word.lower() not in _ENDS_OF_RUN
        )

    def _read_term(self, at: int, *, denies: bool, inside: bool) -> tuple[bool, int]:
        """Read one term; gives whether it still waits for its value, and the token to read next."""
        start, end = self.tokens[at]
        if self.text[start] in '"“':
            return self._read_quotation(at, denies=denies, inside=inside)
        match = _TERM.fullmatch(self.text, start, end)
        sign, name, equals, inner = (match[group] or "" for group in ("sign", "name", "equals", "inner"))
        value, first = match["value"], match.start("value")
        followed = at + 1 < len(self.words) and self.tokens[at + 1][0] == end and self.words[at + 1][0] in '"“('
        if sign == "--" and (name or value not in _NEGATING_FIELDS):  # an option of a program
            sign = ""
        elif sign != "--" and not self._is_sign(start, sign, value, has_value=bool(name or followed)):
            sign = ""
        if not self._is_sign(match.start("inner"), inner, value, has_value=followed):
            inner = ""
        if sign == "--" or (
            name.lower() in _LISTING_FIELDS and not value and not followed and at + 1 < len(self.words)
        ):
            self.found.cues.append((start, end))
            return False, self._take_list(at + 1)
        field = name.lower().replace("_", "-").partition("-")[0]
        negates = bool(name) and (equals[0] == "!" or field in _NEGATING_FIELDS or value.lower() in _NEITHER)
        turns = (_excludes(sign), negates, _excludes(inner))
        excludes = (sum(turns) + denies) % 2 == 1
        if not any(turns) and not denies and not inside:
            if name and (value or followed):
                self.found.dropped.append((start, match.end("equals")))
            self.wants |= value[:1].isalnum()
            return False, at + 1
        if first > start:
            (self.found.cues if any(turns) else self.found.dropped).append((start, first))
        if followed or not value:
            return excludes, at + 1
        if name and value.lower().strip("*") in ("", *_WHOLE_FIELD, *_NEITHER):
            (self.found.cues if any(turns) else self.found.dropped).pop()
            cue = (start, match.start("name")) if sign else match.span("value")
            self.found.cues.append(cue)
            self.found.dropped.append((match.end("name"), end if sign else cue[0]))
            first, end = match.span("name")
        if excludes != inside:
            self._deny(first, end)
            if name and any(turns):
                return False, self._take_more(at + 1)
        else:
            self.wants = True
        return False, at + 1

    def _read_quotation(self, at: int, *, denies: bool, inside: bool) -> tuple[bool, int]:
        start, end = self.tokens[at]
        if denies != inside:
            self._deny(start, end)
        elif excluded := list(re.finditer(r"[&|,]\s*!\s*([^&|,\"”]+)", self.text[start:end])):  # label:"boy&!girl"
            for match in excluded:
                self.found.cues.append((start + match.start(), start + match.start(1)))
                self._deny(start + match.start(1), start + match.end(1))
        else:
            self.wants = True
        return False, at + 1

    def _take_more(self, at: int) -> int:
        """`exclude:car,bus`: what follows a comma without a space."""
        while at + 1 < len(self.words) and self.words[at] == "," and self.tokens[at + 1][0] == self.tokens[at][1]:
            if self.tokens[at][0] != self.tokens[at - 1][1] or not self.words[at + 1][0].isalnum():
                break
            self.found.dropped.append(self.tokens[at])
            self._deny(*self.tokens[at + 1])
            at += 2
        return at

    def _take_list(self, at: int) -> int:
        """`--no cars, people` and `exclude: cars, people`: all up to the next option or field."""
        first = at
        while at <= len(self.words):
            ends = at == len(self.words) or self.words[at].startswith("--") or ":" in self.words[at]
            if ends or self.words[at] in _CONNECTIVES:
                if first < at:
                    self._deny(self.tokens[first][0], self.tokens[at - 1][1])
                first = at + 1
            if ends:
                break
            at += 1
        return min(at, len(self.words))

    def _deny(self, start: int, end: int) -> None:
        """Exclude what stands between, without signs at its edges."""
        whole, phrase = (start, end), self.text[start:end]
        start += len(phrase) - len(phrase.lstrip(_EDGES + ' "“_'))
        phrase = phrase.strip(_EDGES + ' "“”_')
        if any(map(str.isalnum, phrase)):
            self.found.denied.append((start, start + len(phrase)))
            self.found.dropped += [(whole[0], start), (start + len(phrase), whole[1])]

    def _is_sign(self, start: int, sign: str, value: str, *, has_value: bool) -> bool:
        """Whether signs before a value exclude: not before a digit, and not a dash that another one closes."""
        if not sign or not set(sign) & set("-–−!"):
            return False
        if "!" in sign:
            return bool(value or has_value)
        if has_value:
            return True
        if start and self.text[start - 1].isalnum():
            return False
        opens = value[:1].isalpha() or value[:1] in "'*_" or _TAG_WITH_NUMBER.match(value)
        long = len(value) > 1 or not value.isascii()
        return bool(opens and long) and value[-1] not in "-–−" and value.lower() not in _ENGLISH_CUES


def _excludes(sign: str) -> bool:
    return not set(sign).isdisjoint("-–−!")
