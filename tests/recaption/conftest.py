"""Images whose content is made up, and known exactly."""

import importlib
from collections.abc import Callable

import numpy as np
import pytest

from notclip.recaption.absences.facts import Evidence, ImageFacts
from notclip.recaption.concepts.lexicon import load_lexicon

NAMES = "dog cat ball tree bus car umbrella bench boat horse snow hat bicycle fence flag kite rope tent bottle".split()


def make_facts(images=300, *, share=0.3, unknown=0.0, names=NAMES, seed=0):
    """Each concept is present with probability `share`, unknown with probability `unknown`, else verified absent."""
    rng = np.random.default_rng(seed)
    lexicon = load_lexicon()
    facts = []
    for number in range(images):
        draws = rng.random(len(names))
        shown = [name for name, draw in zip(names, draws, strict=True) if draw < share]
        absent = {
            name: Evidence("annotation", plausibility=float(rng.random()))
            for name, draw in zip(names, draws, strict=True)
            if draw >= share + unknown
        }
        captions = (f"A {shown[0]} stands here ." if shown else "An empty scene .", "Things lie around .")
        present = frozenset(lexicon.closure(shown)) - set(absent)
        facts.append(ImageFacts(f"image {number}", captions, present, absent))
    return facts


@pytest.fixture(scope="session")
def made_up_facts() -> Callable[..., list[ImageFacts]]:
    """The maker of facts, see `make_facts`."""
    return make_facts


@pytest.fixture(scope="session")
def fake_llm():
    """The module of the endpoint that answers as a test tells it."""
    return importlib.import_module("fake_llm")
