"""Negated captions in a language model's words: asked in batches, checked one by one, else as the grammar has them.

What the grammar says (`negate_caption`, `phrase_statement`) goes to the model, which says it in other words. Each
answer must read back to the same absences and affirmations (`answer_fault`); one that does not is asked for again, and
at last the grammar's caption stays. So a build never holds a caption that was not checked, whatever the model is.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from pathlib import Path
from typing import Any

from notclip.dataset.negation_forms import CUES, form_of
from notclip.dataset.rows import CaptionRow, RetrievalRow, Row
from notclip.files.derived import derived_key
from notclip.recaption.concepts.lexicon import Lexicon
from notclip.recaption.english.phrasing import HELD_OUT_FORMS, Phrase
from notclip.recaption.llm.answers import AnswerStore
from notclip.recaption.llm.check import Meaning, answer_fault
from notclip.recaption.llm.endpoint import TEMPERATURE, Endpoint, UnansweredError
from notclip.recaption.llm.prompt import messages, parse_answer, tidy

PATTERN = "llm"  # The tag of a caption that fills no pattern of the grammar.
_ROWS_AT_ONCE = 256
_TOKENS_PER_CAPTION = 120


class Rephraser:
    """Says captions in a language model's words, and counts what came of it.

    Args:
        endpoint: answers.
        lexicon: finds the concepts in captions.
        cache: folder in which answers are kept.
        batch: captions of one request.
        concurrency: requests under way at a time.
        tries: how often a caption is asked for.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        lexicon: Lexicon,
        cache: Path,
        *,
        batch: int = 8,
        concurrency: int = 16,
        tries: int = 3,
    ) -> None:
        self.endpoint, self.lexicon = endpoint, lexicon
        self.batch, self.concurrency, self.tries = batch, concurrency, tries
        name = hashlib.sha256(endpoint.model.encode()).hexdigest()[:16]
        self.store = AnswerStore(cache / "llm" / f"{name}.sqlite")
        self.asked = self.accepted = 0
        self.rejected: Counter[str] = Counter()

    def rephrase(self, meanings: Sequence[Meaning], *, forms: Collection[str]) -> list[str | None]:
        """Each caption in the model's words, or None where no answer passed the checks.

        Args:
            meanings: the captions as the grammar has them.
            forms: forms of negation that may be used.

        Raises:
            BadInputError: the endpoint refuses or is gone; the answers so far are kept.
        """
        texts: list[str | None] = [None] * len(meanings)
        pending = list(range(len(meanings)))
        forbidden = _words_of(HELD_OUT_FORMS - frozenset(forms))
        for attempt in range(self.tries):
            answers = self._answers([meanings[index] for index in pending], forbidden, attempt)
            left = []
            for index, answer in zip(pending, answers, strict=True):
                fault = answer_fault(answer, meanings[index], self.lexicon, forms=forms) if answer else "no answer"
                if fault is None:
                    texts[index] = answer
                else:
                    self.rejected[fault] += 1
                    left.append(index)
            pending = left
        self.asked += len(meanings)
        self.accepted += len(meanings) - len(pending)
        return texts

    def _answers(self, meanings: Sequence[Meaning], forbidden: Sequence[str], attempt: int) -> list[str]:
        """What the model says, kept or new; "" where it said nothing."""
        keys = [self._key(meaning, forbidden, attempt) for meaning in meanings]
        found = self.store.find(keys)
        new = list({key: meaning for key, meaning in zip(keys, meanings, strict=True) if key not in found}.items())
        parts = [new[start : start + self.batch] for start in range(0, len(new), self.batch)]
        with ThreadPoolExecutor(self.concurrency) as pool:
            asked = [pool.submit(self._ask, part, forbidden, attempt) for part in parts]
            waiting = set(asked)
            try:
                while waiting:
                    done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    found |= self._kept(done)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return [found.get(key, "") for key in keys]

    def _kept(self, done: Collection[Future[dict[str, str]]]) -> dict[str, str]:
        """The answers of finished requests, kept in one go, since each go waits for the disk."""
        answers: dict[str, str] = {}
        faults = [fault for request in done if (fault := request.exception()) is not None]
        for request in done:
            if request.exception() is None:
                answers |= request.result()
        self.store.keep(answers)
        if faults:
            raise faults[0]
        return answers

    def _ask(self, part: Sequence[tuple[str, Meaning]], forbidden: Sequence[str], attempt: int) -> dict[str, str]:
        asked = messages([meaning.text for _, meaning in part], [meaning.absent for _, meaning in part], forbidden)
        try:
            text = self.endpoint.complete(asked, max_tokens=_TOKENS_PER_CAPTION * len(part), seed=attempt)
        except UnansweredError:
            return {}  # Not kept: a build that goes on later may have more luck.
        answers = parse_answer(text, len(part))
        return {key: tidy(answer or "") for (key, _), answer in zip(part, answers, strict=True)}

    def _key(self, meaning: Meaning, forbidden: Sequence[str], attempt: int) -> str:
        # Where the model runs is none of it: the answers of a build go on counting when its endpoint moves.
        asked = [meaning.text, list(meaning.absent), list(forbidden), attempt]
        of = [self.endpoint.model, TEMPERATURE, _TOKENS_PER_CAPTION, *asked]
        return derived_key("notclip.recaption.llm.prompt", of=of)

    def rephrase_rows(self, rows: Iterator[Row], *, forms: Collection[str]) -> Iterator[Row]:
        """Rows of all configs in their order, with the negated captions and queries in the model's words."""
        while part := list(islice(rows, _ROWS_AT_ONCE)):
            meanings = [
                Meaning(text, (absent,) if isinstance(absent, str) else tuple(absent))
                for row in part
                if isinstance(row, CaptionRow | RetrievalRow)
                for text, absent in zip(_worded(row), row.absent, strict=True)
            ]
            answers = iter(self.rephrase(meanings, forms=forms))
            for row in part:
                if isinstance(row, CaptionRow | RetrievalRow):
                    texts = _worded(row)
                    said = [_said(row, place, next(answers)) for place in range(len(texts))]
                    texts[:] = [phrase.text for phrase in said]
                    row.forms = [phrase.form for phrase in said]
                    row.patterns = [phrase.pattern for phrase in said]
                yield row

    def record(self) -> dict[str, Any]:
        """Counts for `build.json`; the same whether the answers came now or were kept."""
        return {
            "captions": self.asked,
            "accepted": self.accepted,
            "fell_back": self.asked - self.accepted,
            "rejected_answers": dict(sorted(self.rejected.items())),
        }


def _worded(row: CaptionRow | RetrievalRow) -> list[str]:
    """The texts of a row that a model may word."""
    return row.negated_captions if isinstance(row, CaptionRow) else row.captions


def _said(row: CaptionRow | RetrievalRow, place: int, answer: str | None) -> Phrase:
    """The model's caption where there is one, else the grammar's."""
    beside = row.caption if isinstance(row, CaptionRow) else ""
    if answer is not None and (form := form_of(answer, beside=beside)) is not None:
        return Phrase(answer, form, PATTERN)
    return Phrase(_worded(row)[place], row.forms[place], row.patterns[place])


def _words_of(forms: Iterable[str]) -> list[str]:
    """The words of forms, as a person reads them."""
    return [word.replace("\\w+", "…") for form in sorted(forms) for word in CUES[form].split("|")]
