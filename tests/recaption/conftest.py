"""Images whose content is made up, and known exactly."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from notclip.recaption.facts import Evidence, ImageFacts
from notclip.recaption.lexicon import load_lexicon

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
    specification = importlib.util.spec_from_file_location("fake_llm", Path(__file__).with_name("fake_llm.py"))
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
