"""docs/gate.md: its numbers and its options are true."""

import re
from pathlib import Path

import numpy as np
import yaml

from notclip.evaluate_metrics.negated_mcq.negated_mcq import score_questions
from notclip.scoring.gate import Requirement

PAGE = (Path(__file__).parents[1] / "docs" / "gate.md").read_text(encoding="utf-8")


def lower_end(count):
    figures = score_questions(
        {"predictions": np.tile([1.0, 0.0], (count, 1)), "references": np.zeros(count, dtype=int)}
    )
    return figures["confidence_intervals"]["accuracy"][0]


def test_what_it_says_of_small_suites_is_so():
    for count, said in ((12, "near 76 %"), (100, "near 96 %")):
        assert said in PAGE
        assert abs(100 * lower_end(count) - int(said.split()[1])) < 2.5


def test_what_it_requires_can_be_required():
    required = re.findall(r'--require "([^"]+)"', PAGE) + re.findall(r"`([\w@/]+[<>]=[\d.%]+)`", PAGE)
    assert len(required) >= 8
    for text in required:
        Requirement.parse(text)


def test_the_workflow_is_yaml():
    (workflow,) = re.findall(r"```yaml\n(.+?)```", PAGE, flags=re.DOTALL)
    assert "negation" in yaml.safe_load(workflow)["jobs"]
