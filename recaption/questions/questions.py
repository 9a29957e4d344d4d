"""Multiple-choice questions that text alone cannot answer, by construction.

A *group* is one fixed set of C choice texts and C images, such that image i makes choice i true and all others
false. Its C questions share the choices, and each choice is the answer of exactly one of them: whatever a function
makes of the texts, it picks the same choice in all C questions and is right once. In-set and across splits, blind
accuracy is 1/C. Dropping single questions breaks that: drop or keep whole groups.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from notclip.dataset.rows import KINDS, Kind
from notclip.errors import BadInputError
from notclip.recaption.absences.co_occurrence import related_matrix
from notclip.recaption.concepts.weighted_draw import place_of
from notclip.recaption.english.phrasing import Phrasebook, Statement, load_phrasebook
from notclip.recaption.questions.designs import Design, designs
from notclip.recaption.questions.fact_table import FactTable

PER_IMAGE = 4  # questions that may show the same image
CONCEPT_SHARE = 0.06  # of groups that may speak of the same concept, more where few concepts are usable
# Of so many eligible images the one is taken where the absent concepts would have been most plausible, unless it was
# used before; 1 would take any, more make harder questions over more images.
CONTENDERS = 8
_ATTEMPTS = 60  # Draws of a design and its concepts for each group wanted, before giving up on more groups.
_REUSE_COST = 0.3  # Plausibility that a contender must be ahead by to be taken once more than another.
_PULL = 25.0  # How strongly designs with kinds that are short so far are preferred.


@dataclass(frozen=True)
class Question:
    """One image and C choices, of which one is true of it.

    Args:
        image_id: the image.
        choices: C texts.
        answer: index of the true one.
        choice_kinds: kind of each choice.
        choice_forms: form of negation of each choice.
        choice_patterns: pattern that each choice fills.
        group: names the questions that share these choices.
    """

    image_id: str
    choices: tuple[str, ...]
    answer: int
    choice_kinds: tuple[Kind, ...]
    choice_forms: tuple[str, ...]
    choice_patterns: tuple[str, ...]
    group: str

    @property
    def kind(self) -> Kind:
        """Kind of the answer."""
        return self.choice_kinds[self.answer]


class QuestionBuilder:
    """Draws groups one by one, keeping count of what was used; see `build_questions` for the arguments."""

    def __init__(
        self,
        table: FactTable,
        *,
        choices: int,
        groups: int,
        phrasebook: Phrasebook,
        seed: int,
    ) -> None:
        self.table, self.phrasebook = table, phrasebook
        names = list(table.names)
        if len(names) < 2:
            raise BadInputError(
                f"Questions need at least 2 concepts that some images show and others were verified not to show, got "
                f"{names}; use more images, annotations or a detector."
            )
        self.designs = [design for design in designs(choices) if design.concepts <= len(names)]
        self.design_kinds = np.array(
            [[design.kinds.count(kind) / choices for kind in KINDS] for design in self.designs]
        )
        self.compatible = ~related_matrix(table.lexicon, names)
        together = table.present.astype(np.float32) @ table.present.T.astype(np.float32)
        self.affinity = np.sqrt(together + 0.1) * self.compatible
        self.popularity = np.sqrt(table.present.sum(1))
        # Three concepts a group make an even share of 3/K each: nobody can be held under that.
        self.concept_cap = max(1, round(groups * max(CONCEPT_SHARE, 6 / len(names))))
        self.concept_uses = np.zeros(len(names), dtype=int)
        self.image_uses = np.zeros(len(table.facts), dtype=int)
        self.kind_counts = np.zeros(len(KINDS))
        self.made: set[tuple[int, tuple[int, ...]]] = set()
        self.numbers = np.random.default_rng(seed)
        self.words = Random(seed)

    def draw_group(self, name: str) -> list[Question] | None:
        """One more group, or None when the design and concepts drawn allow none."""
        design_index = self._draw_design()
        design = self.designs[design_index]
        concepts = self._draw_concepts(design.concepts)
        if concepts is None or (design_index, concepts) in self.made:
            return None
        images = self._draw_images(design, concepts)
        if images is None:
            return None
        self.made.add((design_index, concepts))
        self.concept_uses[list(concepts)] += 1
        self.image_uses[images] += 1
        self.kind_counts += self.design_kinds[design_index]
        return self._write(design, concepts, images, name)

    def _draw_design(self) -> int:
        shortage = 1 / len(KINDS) - self.kind_counts / max(1.0, self.kind_counts.sum())
        weights = np.exp(_PULL * (self.design_kinds @ shortage))
        # What `numbers.choice` with these chances draws, without its checks.
        reached = (weights / weights.sum()).cumsum()
        return place_of(reached / reached[-1], self.numbers.random())

    def _draw_concepts(self, count: int) -> tuple[int, ...] | None:
        """Concepts that go together: each next one by how often the corpus shows it beside those drawn."""
        free = self.concept_uses < self.concept_cap
        weights = self.popularity * free
        allowed = free
        affinity = np.zeros(len(weights), dtype=self.affinity.dtype)
        drawn: list[int] = []
        for _ in range(count):
            total = weights.sum()
            if total <= 0:
                return None
            drawn.append(place_of(weights.cumsum(), self.numbers.random() * total))
            allowed = allowed & self.compatible[drawn[-1]]
            affinity += self.affinity[drawn[-1]]
            weights = affinity * allowed
        return tuple(drawn)

    def _draw_images(self, design: Design, concepts: tuple[int, ...]) -> list[int] | None:
        """An image for each statement: of a few contenders, the one where the absent would have been most at home."""
        eligible = self.table.only_true(design.statements, concepts) & (self.image_uses < PER_IMAGE)
        rows = np.array(concepts)[:, None]
        images = []
        for row in eligible:
            candidates = row.nonzero()[0]
            if not len(candidates):
                return None
            contenders = candidates[self.numbers.integers(len(candidates), size=CONTENDERS)]
            plausibility = self.table.plausibility[rows, contenders].sum(0)
            images.append(int(contenders[(plausibility - _REUSE_COST * self.image_uses[contenders]).argmax()]))
        return images

    def _write(self, design: Design, concepts: tuple[int, ...], images: list[int], name: str) -> list[Question]:
        rng = self.words
        phrases = []
        for statement in design.statements:
            affirmed = [self.table.names[concepts[index]] for index in statement.affirmed]
            negated = [self.table.names[concepts[index]] for index in statement.negated]
            rng.shuffle(affirmed)
            rng.shuffle(negated)
            said = Statement(tuple(affirmed), tuple(negated))
            phrases.append(self.phrasebook.phrase_statement(said, self.table.lexicon, rng))
        kinds = design.kinds
        # Each position holds the answer once a group, so that even "always the first" scores 1/C.
        positions = rng.sample(range(len(images)), len(images))
        questions = []
        for true, (image, answer) in enumerate(zip(images, positions, strict=True)):
            order = [index for index in rng.sample(range(len(images)), len(images)) if index != true]
            order.insert(answer, true)
            questions.append(
                Question(
                    image_id=self.table.facts[image].image_id,
                    choices=tuple(phrases[index].text for index in order),
                    answer=answer,
                    choice_kinds=tuple(kinds[index] for index in order),
                    choice_forms=tuple(phrases[index].form for index in order),
                    choice_patterns=tuple(phrases[index].pattern for index in order),
                    group=name,
                )
            )
        return questions


def build_questions(
    table: FactTable,
    *,
    count: int | None = None,
    choices: int = 4,
    phrasebook: Phrasebook | None = None,
    group_prefix: str = "",
    seed: int = 0,
) -> list[Question]:
    """Build groups of questions until there are `count` questions or the facts allow no more.

    Args:
        table: what is known of each image; only concepts known to be present or verified absent make a statement
            true or false.
        count: questions wanted, rounded up to whole groups; by default as many as there are images.
        choices: choices a question, 2 to 8.
        phrasebook: the English of the choices; that of general captions when None.
        group_prefix: begins each group's name, such as the split, so that names stay apart.
        seed: the same seed gives the same questions.

    Returns:
        The questions of one group after those of another; each image, text and kind is drawn independently of what a
        text looks like, so that every choice text is the answer once a group.

    Raises:
        BadInputError: the facts allow no group at all.
        ValueError: `choices` is out of range.
    """
    groups = -(-(len(table.facts) if count is None else count) // choices)
    builder = QuestionBuilder(
        table,
        choices=choices,
        groups=groups,
        phrasebook=phrasebook or load_phrasebook(),
        seed=seed,
    )
    questions: list[Question] = []
    made = 0
    for _ in range(_ATTEMPTS * groups):
        if made == groups:
            break
        group = builder.draw_group(f"{group_prefix}{made:06d}")
        if group is not None:
            questions += group
            made += 1
    if groups and not made:
        raise BadInputError(
            f"{len(table.facts)} images with {len(table.names)} usable concepts allow no group of {choices} "
            "questions: no choices were found of which each is the only true one of some image. Use more images, "
            "concepts whose absence can be verified (annotations, a detector), or fewer `choices`."
        )
    return questions


def require_counterbalance(questions: Sequence[Question]) -> None:
    """Refuse questions of which some choice text is the answer more or less often than once in its group.

    Raises:
        BadInputError: naming the first group that is incomplete or unbalanced.
    """
    answers: dict[str, Counter[str]] = defaultdict(Counter)
    texts: dict[str, set[str]] = {}
    for question in questions:
        answers[question.group][question.choices[question.answer]] += 1
        choices = texts.setdefault(question.group, set(question.choices))
        if choices != set(question.choices):
            raise BadInputError(f"Group {question.group!r} holds questions with different choices; rebuild the set.")
    for group, counts in answers.items():
        if set(counts) != texts[group] or len(set(counts.values())) != 1:
            raise BadInputError(
                f"Group {group!r} must have each of its {len(texts[group])} choices as the answer equally often, got "
                f"{sorted(counts.values(), reverse=True)}; drop or keep whole groups."
            )
