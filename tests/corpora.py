"""Counts of a small corpus, as a build adds them up over its shards."""

from scipy.sparse import csc_array

from notclip.recaption.absences.co_occurrence import CoOccurrence


def co_occurrence_of(images, *, least=None):
    """How often concepts occur together in images that show these, hypernyms included."""
    names = sorted(set().union(*images))
    shown = csc_array([[name in image for name in names] for image in images], dtype=int)
    return CoOccurrence(names, shown.T @ shown, len(images), least=least)
