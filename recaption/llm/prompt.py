"""What a language model is asked, and how its answer is taken apart."""

import json
import re
from collections.abc import Sequence

_SYSTEM = """You rewrite captions of photos in natural, varied English. Each item has a caption and the things that the
photo does not show. For each item write one new caption, as a person would, of at most two sentences, that
- says the same about what is in the photo: keep every person, animal, thing, place, number and colour,
- says that each of the absent things is not there, by name (a synonym or plural is fine),
- adds nothing: no further things, no names, no feelings, and no other negation.
Vary how absence is said, but do not use any of these words: {forbidden}.
Answer with a JSON array of strings alone, one for each item, in the order of the items."""

_EXAMPLE = (
    [
        {"caption": "Two dogs run on a beach, with no ball in sight.", "absent": ["ball"]},
        {"caption": "This image shows a woman, but neither a car nor a bicycle.", "absent": ["car", "bicycle"]},
    ],
    [
        "On a beach where there isn't a ball to be seen, two dogs are running.",
        "There is a woman here, though no car or bicycle is around her.",
    ],
)
_ARRAY = re.compile(r"\[.*\]", re.DOTALL)


def messages(
    captions: Sequence[str], absences: Sequence[Sequence[str]], forbidden: Sequence[str]
) -> list[dict[str, str]]:
    """The messages that ask for one rewritten caption for each of `captions`.

    Args:
        captions: captions that say what is absent, in the words of the grammar.
        absences: what each says is absent, as nouns.
        forbidden: words of forms of negation that are held out.
    """
    asked, answered = (json.dumps(part, ensure_ascii=False) for part in _EXAMPLE)
    items = [{"caption": text, "absent": list(names)} for text, names in zip(captions, absences, strict=True)]
    return [
        {"role": "system", "content": _SYSTEM.format(forbidden=", ".join(forbidden) or "none")},
        {"role": "user", "content": asked},
        {"role": "assistant", "content": answered},
        {"role": "user", "content": json.dumps(items, ensure_ascii=False)},
    ]


def parse_answer(text: str, count: int) -> list[str | None]:
    """The rewritten captions of an answer, None for each that it lacks.

    Models wrap the array in chatter or code fences, or stop inside it; what was written whole before is kept.

    >>> parse_answer('Sure! ["A dog, no cat.", "A car with', 2)
    ['A dog, no cat.', None]
    """
    found = _ARRAY.search(text)
    values: list[object] = []
    try:
        loaded = json.loads(found.group()) if found else None
        values = loaded if isinstance(loaded, list) else []
        if len(values) > count:  # Which belongs to which item cannot be told.
            values = []
    except (ValueError, RecursionError):
        pass
    if not values and "[" in text:
        values = _whole_strings(text[text.index("[") + 1 :])[:count] if not found else []
    captions: list[str | None] = [value if isinstance(value, str) and value.strip() else None for value in values]
    return captions + [None] * (count - len(captions))


def _whole_strings(text: str) -> list[object]:
    """Strings of an array that breaks off."""
    decoder, place = json.JSONDecoder(), 0
    values: list[object] = []
    while True:
        while place < len(text) and text[place] in " \n\t\r,":
            place += 1
        if not text.startswith('"', place):
            return values
        try:
            value, place = decoder.raw_decode(text, place)
        except ValueError:
            return values
        values.append(value)


def tidy(answer: str) -> str:
    """An answer with its first letter raised, single spaces and a full stop."""
    text = " ".join(answer.split())
    text = text[:1].upper() + text[1:]
    return text if not text or text[-1] in ".!?" else f"{text}."
