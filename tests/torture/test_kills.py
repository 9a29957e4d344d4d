"""Killed at any moment and given again, every command that writes ends with the same bytes and leaves nothing else.

`push-release` is killed in tests/hub_cards/test_push_faults.py, at requests of the Hub.
"""

import dataclasses
import json


def test_a_build_that_is_killed(killing, made):
    killing.survives(made.commands.build, seed=1)


def test_a_training_that_is_killed(killing, made):
    assert json.loads((made.folder / "trained" / "training.json").read_text())["chosen_epoch"] > 0
    killing.survives(made.commands.train, seed=2)


def test_a_scoring_that_is_killed(killing, made):
    command = made.commands.scored["notclip"]
    judged = ("--compare", made.folder / "base.json", "--require", "macro_accuracy>=0.01")
    killing.survives(dataclasses.replace(command, argv=(*command.argv, *judged)), seed=3)
    names = set(killing.contents("undisturbed", command))
    assert {"notclip.json", "notclip.predictions.npz", "notclip.junit.xml", "notclip.report/report.html"} <= names


def test_a_staging_that_is_killed(killing, made):
    results = [made.folder / f"{role}.json" for role in ("base", "backbone", "notclip")]
    inputs = ("--model", made.folder / "trained", "--data", made.folder / "data", "--results", *results)
    command = dataclasses.replace(
        made.commands.build, argv=("stage-release", *inputs, "--namespace", "ann", "--name", "tiny", "--out", "hub")
    )
    killing.survives(command, seed=4)
