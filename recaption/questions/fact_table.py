"""What is known of many images as matrices, and which of them make a statement the only true one of several."""

from collections import defaultdict
from collections.abc import Sequence
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np

from notclip.recaption.absences.facts import ImageFacts
from notclip.recaption.questions.designs import Literals

if TYPE_CHECKING:
    from notclip.recaption.concepts.lexicon import Lexicon

_PLAUSIBILITY = attrgetter("plausibility")


class FactTable:
    """What is known of N images and K concepts, as matrices of shape (K, N).

    Args:
        facts: one record an image.
        lexicon: concepts by name, and which of them are compatible; those are kept that some image shows and another
            was verified not to show, in alphabetical order.
    """

    def __init__(self, facts: Sequence[ImageFacts], lexicon: "Lexicon") -> None:
        self.facts, self.lexicon = facts, lexicon
        shown = set[str]().union(*(fact.present for fact in facts))
        missing = set[str]().union(*(fact.absent for fact in facts))
        self.names = tuple(sorted(name for name in lexicon if name in shown and name in missing))
        # Filled image by image, so that what one image writes lies together; other concepts fall into a last column.
        column: dict[str, int] = defaultdict(lambda: len(self.names))
        column.update((name, index) for index, name in enumerate(self.names))
        present = np.zeros((len(facts), len(self.names) + 1), dtype=bool)
        absent = np.zeros_like(present)
        plausibility = np.zeros(present.shape, dtype=np.float32)
        for row, fact in enumerate(facts):
            present[row, [column[name] for name in fact.present]] = True
            where = np.fromiter(map(column.__getitem__, fact.absent), np.intp, len(fact.absent))
            absent[row, where] = True
            plausibility[row, where] = np.fromiter(map(_PLAUSIBILITY, fact.absent.values()), np.float32, len(where))
        self.present = np.ascontiguousarray(present[:, :-1].T)
        self.absent = np.ascontiguousarray(absent[:, :-1].T)
        self.plausibility = np.ascontiguousarray(plausibility[:, :-1].T)

    def only_true(self, statements: Sequence[Literals], concepts: Sequence[int]) -> np.ndarray:
        """For each statement the images that make it true and all others false, shape (C, N); unknown is neither."""
        true = np.ones((len(statements), self.present.shape[1]), dtype=bool)
        false = np.zeros_like(true)
        for row, statement in enumerate(statements):
            for index in statement.affirmed:
                true[row] &= self.present[concepts[index]]
                false[row] |= self.absent[concepts[index]]
            for index in statement.negated:
                true[row] &= self.absent[concepts[index]]
                false[row] |= self.present[concepts[index]]
        for row, own in enumerate(true):
            for other, theirs in enumerate(false):
                if other != row:
                    own &= theirs
        return true
