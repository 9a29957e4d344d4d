"""Which forms of negation a text uses, whoever wrote it; the grammar's own texts bear their form as a tag."""

import re

AFFIRMED = "affirmed"  # The form of a phrase that negates nothing.
# Form -> its words, a regular expression of whole words; the first that matches names the form of a text.
CUES = {
    "devoid": "devoid of|void of",
    "free": r"free of|free from|\w+-free",
    "minus": "minus",
    "nowhere": "nowhere",
    "omits": "omit|omits|omitted|omitting|leaves out|leave out|leaving out|left out",
    "rather": "rather than",
    "neither": "neither|nor",
    "nobody": "nobody|no one|no-one",
    "nothing": "nothing",
    "none": "none",
    "less": "(?:cloud|leaf|moon|snow|star|sun|tree)less",
    "instead": "instead of|as opposed to|in place of",
    "except": "except|apart from|aside from",
    "other": "other than",
    "fails": "fails? to",
    "not_single": "not (?:a single|one|even one)",
    "no_sign": "no (?:sign|trace|hint)s?",
    "absence": "(?:absence|lack) of",
    "excludes": "excludes?|excluded|excluding",
    "sans": "sans",
    "zero": "zero",
    "absent": "absent",
    "missing": "missing",
    "lacks": "lacks?|lacking",
    "without": "without",
    "nt": r"\w+n't",
    "not": "not|cannot|never",
    "no": "no",
}
_PATTERNS = {form: re.compile(rf"(?<!\w)(?:{cue})(?!\w)", re.IGNORECASE) for form, cue in CUES.items()}


def forms_in(text: str) -> frozenset[str]:
    """All forms of negation whose words stand in a text.

    >>> sorted(forms_in("A beach without people; dogs are nowhere to be seen."))
    ['nowhere', 'without']
    """
    text = text.replace("’", "'")
    return frozenset(form for form, pattern in _PATTERNS.items() if pattern.search(text))


def form_of(text: str, *, beside: str = "") -> str | None:
    """The form of negation of a text, or None where it has none.

    Args:
        text: any English.
        beside: a text whose own forms do not count where `text` has others: a source caption with a "no" of its own.

    >>> form_of("There isn't a dog."), form_of("A dog.")
    ('nt', None)
    """
    used = forms_in(text)
    used = used - forms_in(beside) or used
    return next((form for form in CUES if form in used), None)


def form_of_answer(text: str, kind: str) -> str:
    """The form under which a question is counted whose true caption this is.

    Args:
        text: the caption.
        kind: its kind, as the suite has it.

    >>> form_of_answer("No dog.", "negation"), form_of_answer("A dog.", "affirmation")
    ('no', 'affirmed')
    >>> form_of_answer("The dog escapes the eye.", "negation")
    'other'
    """
    return AFFIRMED if kind == "affirmation" else form_of(text) or "other"
