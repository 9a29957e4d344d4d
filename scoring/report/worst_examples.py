"""The examples on which a model is most wrong, with their photos: what a figure hides, a glance at these shows."""

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass

from notclip.scoring.predictions import Predictions
from notclip.scoring.suites.suite import Photo, Suite, frames_to_encode, open_suite_photo

COUNT = 20
SIDE = 220


@dataclass(frozen=True)
class Line:
    """A caption or a finding.

    Args:
        text: what it says.
        right: whether it is the true caption, or a photo that is right.
        picked_by: the models that pick it.
    """

    text: str
    right: bool
    picked_by: tuple[str, ...]


@dataclass(frozen=True)
class Example:
    """A question that was answered wrongly, or a query that did not find its photo.

    Args:
        photo: the photo, as a data address of a small JPEG.
        title: which photo it is.
        note: how wrong the answer is.
        lines: the captions.
    """

    photo: str
    title: str
    note: str
    lines: tuple[Line, ...]


def worst_examples(suite: Suite, answers: Mapping[str, Predictions]) -> list[Example]:
    """The questions on which the first model is furthest from right; the negated queries of a suite without questions.

    Args:
        suite: what was asked.
        answers: model -> what it answered; the reported one first.
    """
    if suite.questions:
        return _worst_questions(suite, answers)
    return _worst_queries(suite, answers)


def _worst_questions(suite: Suite, answers: Mapping[str, Predictions]) -> list[Example]:
    first = next(iter(answers.values()))
    margins = []
    for number, (question, scores) in enumerate(zip(suite.questions, first.scores, strict=True)):
        best = max(score for choice, score in enumerate(scores) if choice != question.answer)
        margins.append((best - scores[question.answer], number))
    worst = sorted((pair for pair in margins if pair[0] >= 0), key=lambda pair: (-pair[0], pair[1]))[:COUNT]
    examples = []
    for margin, number in worst:
        question = suite.questions[number]
        lines = []
        for choice, text in enumerate(question.choices):
            pickers = [
                model for model, one in answers.items() if one.scores[number][choice] == max(one.scores[number])
            ]
            lines.append(Line(text, choice == question.answer, tuple(pickers)))
        form = "" if question.form is None else f", {question.form}"
        note = f"{question.kind}{form}: the true caption scores {margin:.3f} lower"
        photo = thumbnail(frames_to_encode(suite.photos[question.image_id])[0])
        examples.append(Example(photo, question.image_id, note, tuple(lines)))
    return examples


def _worst_queries(suite: Suite, answers: Mapping[str, Predictions]) -> list[Example]:
    kind, queries = (
        ("negated", suite.negated_queries) if suite.negated_queries else ("ordinary", suite.ordinary_queries)
    )
    first = next(iter(answers.values())).found[kind]
    worst = sorted(range(len(queries)), key=lambda number: (-first.ranks[number], number))[:COUNT]
    examples = []
    for number in worst:
        query = queries[number]
        lines = [Line(query.text, True, ())]
        for model, one in answers.items():
            if kind not in one.found:
                continue
            shown = sum(image in query.excluded for image in one.found[kind].found[number][:5])
            excluded = f", {shown} of its first five show what is excluded" if query.excluded else ""
            lines.append(Line(f"{model}: rank {one.found[kind].ranks[number]:,}{excluded}", False, ()))
        photo = thumbnail(frames_to_encode(suite.photos[query.image_id])[0])
        note = f"rank {first.ranks[number]:,} of {len(suite.gallery):,}"
        examples.append(Example(photo, query.image_id, note, tuple(lines)))
    return examples


def thumbnail(photo: Photo) -> str:
    """A small JPEG of a photo as an address that a page holds in itself."""
    image = open_suite_photo(photo)
    image.thumbnail((SIDE, SIDE))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
