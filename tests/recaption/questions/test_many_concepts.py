"""Tens of thousands of classes: memory follows what is seen together, not all pairs of classes."""

import tracemalloc

import numpy as np
from scipy.sparse import csr_array

from notclip.recaption.absences.co_occurrence import CoOccurrence
from notclip.recaption.absences.mention_rates import MentionCounts
from notclip.recaption.concepts.lexicon import load_lexicon

LABELS = [f"{first}{second}{third}" for first in "bcdfgklm" for second in "aeiou" for third in map(str, range(500))]


def test_twenty_thousand_classes_take_no_gigabytes():
    assert len(LABELS) == 20_000
    tracemalloc.start()
    lexicon = load_lexicon().extended(LABELS)
    mention_rates = MentionCounts(lexicon)
    mention_rates.add(["A dog runs.", "A cat sits."])
    shown = csr_array(np.eye(10, len(lexicon), dtype=np.int64))
    co_occurrence = CoOccurrence(list(lexicon), (shown.T @ shown).tocsc(), 10, least=1)
    largest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(co_occurrence.candidates) == 10
    assert largest < 200 * 2**20  # All pairs of classes would be 3.2 GB as whole numbers.
    assert lexicon.resolve(LABELS[-1]) == LABELS[-1]
