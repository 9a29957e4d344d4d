"""A visitor's query: checked, and shown as the model read it."""

import itertools
import re
from html import escape

from notclip.errors import BadInputError
from notclip.remote.negation_scope import NegationScope, read_scope

MAX_QUERY = 500
_CUES_ALONE = frozenset(("no", "not", "none", "never", "without", "neither", "nor", "n't"))
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]+")


def check_text(text: str, *, what: str) -> str:
    """Return the text without outer and control whitespace.

    Raises:
        BadInputError: it is empty, too long, or nothing but a word of negation.
    """
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


def language_note(scope: NegationScope) -> str | None:
    """A sentence for a query that is not English, of which operators alone are read; None for others."""
    if scope.language == "en":
        return None
    return (
        "This does not look like English. Negation is read in English only (operators such as -word in any language), "
        "so the rest is one plain text."
    )


def reading_html(text: str) -> str:
    """How a query was read: affirmed green, negated struck through, in marks that need no colour; escaped."""
    scope = read_scope(text)
    pieces = [
        f'<{tag} class="nc-{role}">{escape(text[start:end])}</{tag}>'
        for start, end, role in _segments(scope)
        for tag in ({"negated": "del", "affirmed": "ins"}.get(role, "span"),)
    ]
    wanted = f"looks for <b>{escape(scope.affirmed)}</b>" if scope.affirmed else "looks for <b>anything</b>"
    excluded = ", ".join(f"<b>{escape(phrase)}</b>" for phrase in scope.negated)
    said = f"{wanted}, excludes {excluded}" if scope.negated else f"{wanted}; nothing is excluded"
    note = language_note(scope)
    noted = f'<p class="nc-note">{escape(note)}</p>' if note else ""
    return (
        f'<div class="nc-reading"><span class="nc-label">How NotCLIP reads it</span>'
        f'<p class="nc-read-text">{"".join(pieces)}</p><p class="nc-read-said">It {said}.</p>{noted}</div>'
    )


def _segments(scope: NegationScope) -> list[tuple[int, int, str]]:
    """The text in pieces, (start, end, role): negated, affirmed, or cue; what belongs to neither part is cue."""
    role_of = ["cue"] * len(scope.text)
    affirmed = [(0, len(scope.text))] if scope.affirmed == scope.text else scope.affirmed_spans
    for role, spans in (("affirmed", affirmed), ("cue", scope.cue_spans), ("negated", scope.spans)):
        for start, end in spans:
            role_of[start:end] = [role] * (end - start)
    segments, at = [], 0
    for role, run in itertools.groupby(role_of):
        length = len(list(run))
        segments.append((at, at + length, role))
        at += length
    return segments
