"""Which forms of negation a text uses, whoever wrote it; the grammar's own texts bear their form as a tag."""

import re
from functools import cache

from notclip.recaption.english.phrasing import AFFIRMED, load_phrasebook


@cache
def _cues() -> tuple[tuple[str, re.Pattern[str]], ...]:
    cues = load_phrasebook().cues
    return tuple((form, re.compile(rf"(?<!\w)(?:{cue})(?!\w)", re.IGNORECASE)) for form, cue in cues.items())


def forms_in(text: str) -> frozenset[str]:
    """All forms of negation whose words stand in a text.

    >>> sorted(forms_in("A beach without people; dogs are nowhere to be seen."))
    ['nowhere', 'without']
    """
    text = text.replace("’", "'")
    return frozenset(form for form, cue in _cues() if cue.search(text))


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
    return next((form for form, _ in _cues() if form in used), None)


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
