"""What is known of many images as matrices, and which of them make a statement the only true one of several."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from notclip.recaption.facts import ImageFacts
from notclip.recaption.question_designs import Literals


class FactTable:
    """What is known of N images and K concepts, as matrices.

    Args:
        facts: one record an image.
        names: the concepts to keep, in the order of the rows.
    """

    def __init__(self, facts: Sequence[ImageFacts], names: Sequence[str]) -> None:
        self.names = tuple(names)
        row = {name: index for index, name in enumerate(self.names)}
        self.present = np.zeros((len(self.names), len(facts)), dtype=bool)
        self.absent = np.zeros_like(self.present)
        self.plausibility = np.zeros(self.present.shape, dtype=np.float32)
        for column, fact in enumerate(facts):
            for name in fact.present:
                if name in row:
                    self.present[row[name], column] = True
            for name, evidence in fact.absent.items():
                if name in row:
                    self.absent[row[name], column] = True
                    self.plausibility[row[name], column] = evidence.plausibility

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
        return true & (false.sum(0) - false == len(statements) - 1)


def usable_concepts(facts: Sequence[ImageFacts], lexicon: Mapping[str, object]) -> list[str]:
    """Concepts of the lexicon that some image shows and another was verified not to show, in alphabetical order."""
    present = Counter(name for fact in facts for name in fact.present)
    absent = Counter(name for fact in facts for name in fact.absent)
    return sorted(name for name in lexicon if present[name] and absent[name])
