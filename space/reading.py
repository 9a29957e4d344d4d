"""A visitor's query: checked, and shown as the model read it."""

import itertools
import re
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from notclip.errors import BadInputError
from notclip.remote.negation_scope import NegationScope, read_scope

MAX_QUERY = 500
_CUES_ALONE = frozenset(("no", "not", "none", "never", "without", "neither", "nor", "n't"))
_OPERATOR = re.compile(r"(?:(?<=\s)|^)(?:[~^*]\w\S*|\w+~\S*)")  # of search engines, and none of the reader's
_ROLES = {
    "denied": "must not be there",
    "affirmed": "is looked for",
    "cue": "says “not”",
    "dropped": "is left out",
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]+")


def check_text(text: Any, *, what: str) -> str:
    """Return the text without outer and control whitespace.

    Raises:
        BadInputError: it is no text, empty, too long, or nothing but a word of negation.
    """
    if not isinstance(text, str):
        raise BadInputError(f"{what} must be a text, got {text!r}.")
    cleaned = " ".join(_CONTROL.sub(" ", text).split())
    if not cleaned:
        raise BadInputError(f"{what} is empty. Describe what a photo should show, and what it should not.")
    if len(cleaned) > MAX_QUERY:
        raise BadInputError(f"{what} has {len(cleaned):,} characters; the limit is {MAX_QUERY}. Say it shorter.")
    words = re.findall(r"[\w']+", cleaned.lower())
    if not words:
        raise BadInputError(f"{what} has no words. Describe what a photo should show, and what it should not.")
    if set(words) <= _CUES_ALONE:
        raise BadInputError(f"{what} says only “{cleaned[:60]}”. Add what should not be there: “no dogs”.")
    return cleaned


def hints(scope: NegationScope) -> list[str]:
    """Where the reading may not be what was meant; a sentence each."""
    if scope.language != "en":
        return [
            "This does not look like English. Negation is read in English only (operators such as -word in any "
            "language), so the rest is one plain text."
        ]
    found = []
    words = re.findall(r"[\w'’]+", scope.text.lower())
    denials = [word for word in words if word in _CUES_ALONE or re.search(r"n['’]t$", word)]
    if denials and not scope.negated:
        found.append(
            f"“{denials[0]}” was not read as excluding anything. If it should, say what must not be there: “no …”."
        )
    found += [f"“{one.group()}” is no operator here and is read as words." for one in _OPERATOR.finditer(scope.text)]
    return found[:2]


def reading_html(text: str) -> str:
    """How a query was read: affirmed green, negated struck through, in marks that need no colour; escaped."""
    scope = read_scope(text, explain=True)
    role_of = _roles(scope)
    pieces = [
        f'<{tag} class="nc-{role}">{escape(text[start:end])}</{tag}>'
        for start, end, role in _segments(role_of)
        for tag in ({"denied": "del", "affirmed": "ins"}.get(role, "span"),)
    ]
    wanted = f"looks for <b>{escape(scope.affirmed)}</b>" if scope.affirmed else "looks for <b>anything</b>"
    excluded = ", ".join(f"<b>{escape(phrase)}</b>" for phrase in scope.negated)
    said = f"{wanted}, excludes {excluded}" if scope.negated else f"{wanted}; nothing is excluded"
    noted = "".join(f'<p class="nc-note nc-hint">{escape(hint)}</p>' for hint in hints(scope))
    rows = "".join(
        f'<tr><th scope="row">{escape(text[word.start : word.end])}</th><td>{_ROLES[role_of[word.start]]}</td>'
        f"<td>{escape(word.reason)}</td></tr>"
        for word in scope.words
    )
    return (
        f'<div class="nc-reading"><span class="nc-label">How NotCLIP reads it</span>'
        f'<p class="nc-read-text">{"".join(pieces)}</p><p class="nc-read-said">It {said}.</p>{noted}'
        '<details class="nc-words"><summary>Word by word</summary><table class="nc-table"><thead><tr>'
        '<th scope="col">Word</th><th scope="col">becomes</th><th scope="col">decided by</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></details></div>"
    )


def _roles(scope: NegationScope) -> list[str]:
    """The role of each character; what belongs to no part is dropped."""
    role_of = ["dropped"] * len(scope.text)
    affirmed = [(0, len(scope.text))] if scope.affirmed == scope.text else scope.affirmed_spans
    for role, spans in (("affirmed", affirmed), ("cue", scope.cue_spans), ("denied", scope.spans)):
        for start, end in spans:
            role_of[start:end] = [role] * (end - start)
    return role_of


def _segments(role_of: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """The text in pieces, (start, end, role)."""
    at = 0
    for role, run in itertools.groupby(role_of):
        length = len(list(run))
        yield at, at + length, role
        at += length
