"""Killed at any moment and given again, every command that writes ends with the same bytes and leaves nothing else.

`push-release` is killed in tests/hub_cards/test_push_faults.py, at requests of the Hub.
"""

import dataclasses
import json


def test_a_build_that_is_killed(killing, inputs):
    killing.survives(inputs.build, seed=1)


def test_a_training_that_is_killed(killing, inputs):
    killing.survives(inputs.train, seed=2)
    record = json.loads((killing.folder / "undisturbed" / "trained" / "training.json").read_text())
    assert record["chosen_epoch"] > 0  # Else the weights would be the base's, however often it was killed.


def test_a_scoring_that_is_killed(killing, inputs):
    base, *_ = inputs.results
    command = inputs.score("notclip")
    judged = ("--compare", base, "--require", "macro_accuracy>=0.01")
    killing.survives(dataclasses.replace(command, argv=(*command.argv, *judged)), seed=3)
    names = set(killing.contents("undisturbed", command))
    assert {"notclip.json", "notclip.predictions.npz", "notclip.junit.xml", "notclip.report/report.html"} <= names


def test_a_staging_that_is_killed(killing, inputs):
    files = ("--model", inputs.trained, "--data", inputs.data, "--results", *inputs.results)
    stage = ("stage-release", *files, "--namespace", "ann", "--name", "tiny", "--out", "hub")
    killing.survives(dataclasses.replace(inputs.build, argv=stage), seed=4)
