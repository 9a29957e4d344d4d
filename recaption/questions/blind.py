"""How far a text-only classifier gets on questions that were meant to need the image.

Two classifiers, each a logistic regression on TF-IDF of words and word pairs: *single choices* sees one choice at a
time; *whole questions* also sees how each word of a choice occurs in the choices beside it, so that "the odd one
out" or "the negation of another choice" can be learnt. Each is tested in-set by cross-validation, and trained on one
split and tested on another.

Questions that share their choices (`group`) are one unit, for folds and for the bootstrap. Split over folds, a
counterbalanced group would score *below* chance, since the answers seen in training are just those that are used up.
And it would make the interval too narrow, since its questions are not independent.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from notclip.errors import BadInputError

View = Literal["single choices", "whole questions"]
VIEWS: tuple[View, ...] = ("single choices", "whole questions")
_FOLDS = 5  # of whole units
_RESAMPLES = 1000  # of whole units
_MOST_QUESTIONS = 10_000  # Of larger sets a random sample of units with about so many is taken.


@dataclass(frozen=True)
class QuestionTexts:
    """The text side of Q questions.

    Args:
        choices: choices of each question; their number may differ between questions.
        answers: index of the true choice of each question.
        units: what each question belongs to, for folds and bootstrap: its group where questions share choices, else
            its image.
        name: how messages call the set.
    """

    choices: Sequence[Sequence[str]]
    answers: Sequence[int]
    units: Sequence[str]
    name: str = "questions"

    def __post_init__(self) -> None:
        if not len(self.choices) == len(self.answers) == len(self.units):
            raise ValueError(
                f"`choices`, `answers` and `units` must be equally long, got {len(self.choices)}, {len(self.answers)} "
                f"and {len(self.units)}."
            )
        for row, (choices, answer) in enumerate(zip(self.choices, self.answers, strict=True)):
            if len(choices) < 2 or not 0 <= answer < len(choices):
                raise BadInputError(
                    f"{self.name}, row {row}: the answer must be the index of one of at least 2 choices, got {answer} "
                    f"of {len(choices)}."
                )


@dataclass(frozen=True)
class BlindAccuracy:
    """What a text-only classifier scored.

    Args:
        view: what it saw.
        setting: "in-set" (cross-validated) or "transfer" (trained on one set, tested on another).
        accuracy: share of right answers, a tie of m counted 1/m.
        low: lower end of the 95 % interval, bootstrap over units.
        high: its upper end.
        chance: accuracy of a guess.
        questions: number of questions tested.
    """

    view: View
    setting: Literal["in-set", "transfer"]
    accuracy: float
    low: float
    high: float
    chance: float
    questions: int

    @property
    def is_over_chance(self) -> bool:
        """Whether chance lies under the whole interval; the slack absorbs rounding."""
        return self.low > self.chance + 1e-9


def single_choice_tokens(choices: Sequence[str]) -> list[list[str]]:
    """Words and word pairs of each choice."""
    return [_grams(choice) for choice in choices]


def whole_question_tokens(choices: Sequence[str]) -> list[list[str]]:
    """Words and word pairs of each choice, also marked by the number of choices that share them.

    "no 2" stands for "no" before a word that two choices hold, whichever it is, and "no _ 1" for a pair "no …" that
    this choice alone holds: what is learnt about one pair of concepts so applies to all others.
    """
    words = [["<s>", *_words(choice), "</s>"] for choice in choices]
    pairs = [list(pairwise(sentence)) for sentence in words]
    word_counts = Counter(word for sentence in words for word in set(sentence))
    pair_counts = Counter(pair for sentence in pairs for pair in set(sentence))
    tokens = []
    for sentence, sentence_pairs, grams in zip(words, pairs, single_choice_tokens(choices), strict=True):
        tokens.append(
            [
                *grams,
                *(f"{word} {word_counts[word]}" for word in sentence),
                *(f"{first} {word_counts[second]}" for first, second in sentence_pairs),
                *(f"{word_counts[first]} {second}" for first, second in sentence_pairs),
                *(f"{first} _ {pair_counts[first, second]}" for first, second in sentence_pairs),
                *(
                    f"{first} {word_counts[middle]} {last}"
                    for first, middle, last in zip(sentence, sentence[1:], sentence[2:], strict=False)
                ),
                *_tally("words", [word_counts[word] for word in sentence]),
                *_tally("pairs", [pair_counts[pair] for pair in sentence_pairs]),
            ]
        )
    return tokens


def _tally(what: str, counts: list[int]) -> list[str]:
    """One token for each count and how often it occurs: "words in 2 choices: 3"."""
    return [f"{what} in {count} choices: {times}" for count, times in Counter(counts).items()]


def _words(choice: str) -> list[str]:
    return choice.lower().replace(".", "").replace(",", "").split()


def _grams(choice: str) -> list[str]:
    words = _words(choice)
    return words + [f"{a} {b}" for a, b in pairwise(words)]


_TOKENS = {"single choices": single_choice_tokens, "whole questions": whole_question_tokens}


def _already_tokens(tokens: list[str]) -> list[str]:
    return tokens


def _vectorizer() -> TfidfVectorizer:
    return TfidfVectorizer(analyzer=_already_tokens, sublinear_tf=True, min_df=2)


def words_of_view(view: View, questions: QuestionTexts, rows: np.ndarray) -> list[list[str]]:
    """Tokens of each choice of each question, worked out once for all questions that share their choices."""
    of_choices: dict[tuple[str, ...], dict[str, list[str]]] = {}
    tokens = []
    for row in rows:
        choices = questions.choices[row]
        shared = tuple(sorted(choices))  # A choice's tokens do not depend on where the others stand.
        if shared not in of_choices:
            of_choices[shared] = dict(zip(choices, _TOKENS[view](choices), strict=True))
        tokens += [of_choices[shared][choice] for choice in choices]
    return tokens


def _is_answer(questions: QuestionTexts, rows: np.ndarray) -> np.ndarray:
    return np.array([index == questions.answers[row] for row in rows for index in range(len(questions.choices[row]))])


def _fitted(features: Any, is_answer: np.ndarray) -> LogisticRegression:
    return LogisticRegression(C=10.0, solver="liblinear").fit(features, is_answer)


def _credits(scores: np.ndarray, questions: QuestionTexts, rows: np.ndarray) -> np.ndarray:
    """Credit of each question: 1 for the answer, 1/m where m choices tie with it, else 0."""
    credits = np.zeros(len(rows))
    start = 0
    for place, row in enumerate(rows):
        own = scores[start : start + len(questions.choices[row])]
        start += len(own)
        best = own >= own.max() - 1e-12
        credits[place] = best[questions.answers[row]] / best.sum()
    return credits


def _cross_validated(view: View, questions: QuestionTexts, rows: np.ndarray, fold_of_row: np.ndarray) -> np.ndarray:
    """Credits of all rows, each from a classifier that saw no question of its unit."""
    features = _vectorizer().fit_transform(words_of_view(view, questions, rows))
    is_answer = _is_answer(questions, rows)
    fold_of_choice = np.repeat(fold_of_row, [len(questions.choices[row]) for row in rows])
    scores = np.zeros(len(is_answer))
    for fold in np.unique(fold_of_row):
        held_out = fold_of_choice == fold
        scores[held_out] = _fitted(features[~held_out], is_answer[~held_out]).decision_function(features[held_out])
    return _credits(scores, questions, rows)


def _transferred(
    view: View, train: QuestionTexts, train_rows: np.ndarray, questions: QuestionTexts, rows: np.ndarray
) -> np.ndarray:
    """Credits of `rows` from a classifier trained on another set."""
    vectorizer = _vectorizer()
    model = _fitted(vectorizer.fit_transform(words_of_view(view, train, train_rows)), _is_answer(train, train_rows))
    return _credits(
        model.decision_function(vectorizer.transform(words_of_view(view, questions, rows))), questions, rows
    )


def _interval(credits: np.ndarray, units: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    """95 % percentile interval of the mean credit, resampling whole units."""
    _, index = np.unique(units, return_inverse=True)
    sizes = np.bincount(index).astype(np.float64)
    totals = np.bincount(index, weights=credits)
    means = []
    for _ in range(_RESAMPLES):
        drawn = rng.integers(len(sizes), size=len(sizes))
        means.append(totals[drawn].sum() / sizes[drawn].sum())
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def _measured(
    view: View,
    setting: Literal["in-set", "transfer"],
    questions: QuestionTexts,
    rows: np.ndarray,
    credits: np.ndarray,
    rng: np.random.Generator,
) -> BlindAccuracy:
    units = np.asarray(questions.units)[rows]
    low, high = _interval(credits, units, rng)
    chance = float(np.mean([1 / len(questions.choices[row]) for row in rows]))
    return BlindAccuracy(view, setting, float(credits.mean()), low, high, chance, len(rows))


def _sample_units(questions: QuestionTexts, rng: np.random.Generator) -> np.ndarray:
    """Rows of whole units, at most about `_MOST_QUESTIONS` of them."""
    units, index, sizes = np.unique(np.asarray(questions.units), return_inverse=True, return_counts=True)
    order = rng.permutation(len(units))
    kept = np.zeros(len(units), dtype=bool)
    kept[order[: max(2, int(np.searchsorted(np.cumsum(sizes[order]), _MOST_QUESTIONS, side="right")))]] = True
    return np.flatnonzero(kept[index])


def blind_accuracy(
    questions: QuestionTexts,
    train: QuestionTexts | None = None,
    *,
    views: Sequence[View] = VIEWS,
    seed: int = 0,
) -> list[BlindAccuracy]:
    """Measure what text alone gives away.

    Args:
        questions: the set to test.
        train: a set to train on for the transfer setting; without it only the in-set setting is measured.
        views: which classifiers to try.
        seed: of folds, samples and bootstrap.

    Returns:
        One measurement for each view, in-set first, then transfer.
    """
    rng = np.random.default_rng(seed)
    rows = _sample_units(questions, rng)
    unit_of_row = np.unique(np.asarray(questions.units)[rows], return_inverse=True)[1]
    units = unit_of_row.max(initial=-1) + 1
    if units < _FOLDS:
        raise BadInputError(
            f"{questions.name}: to test what text alone gives away takes at least {_FOLDS} groups of questions, got "
            f"{units}; use more images."
        )
    fold_of_row = (rng.permutation(units) % _FOLDS)[unit_of_row]
    measured = []
    for view in views:
        credits = _cross_validated(view, questions, rows, fold_of_row)
        measured.append(_measured(view, "in-set", questions, rows, credits, rng))
    if train is not None:
        train_rows = _sample_units(train, rng)
        for view in views:
            credits = _transferred(view, train, train_rows, questions, rows)
            measured.append(_measured(view, "transfer", questions, rows, credits, rng))
    return measured


def require_blind_chance(measured: Sequence[BlindAccuracy], *, name: str = "questions") -> None:
    """Refuse questions that text alone answers above chance.

    Args:
        measured: from `blind_accuracy`.
        name: how the message calls the set.

    Raises:
        BadInputError: some classifier's whole 95 % interval lies over chance.
    """
    leaks = [result for result in measured if result.is_over_chance]
    if leaks:
        found = "; ".join(
            f"{result.view}, {result.setting}: {result.accuracy:.1%} (95 % interval {result.low:.1%} to "
            f"{result.high:.1%}, chance {result.chance:.1%}, {result.questions} questions)"
            for result in leaks
        )
        raise BadInputError(
            f"{name}: a text-only classifier answers more than chance allows, so the texts give the answers away: "
            f"{found}. Build questions in whole counterbalanced groups (`build_questions`), and keep the groups whole."
        )
