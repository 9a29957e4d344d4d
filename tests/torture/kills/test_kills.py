"""Disturbed at any moment and given again, every command that writes ends with the same bytes and leaves nothing else.

`push-release` is ended at requests of the Hub, and given a full disk, in tests/hub_cards/push/test_push_faults.py;
`rehearse`, which leaves nothing, in tests/scripts/test_rehearse.py.
"""

import dataclasses
import json
import os
import shutil

import pytest

COMMANDS = ("suite", "build", "embed", "train", "score", "stage", "convert", "convert_back", "stage_reader", "demo")
# `make test` has those that share their inputs; a demo is these commands, and conversion is one file written whole.
KILLED = COMMANDS if "NOTCLIP_TORTURE" in os.environ else COMMANDS[:6]


def command_of(inputs, verb):
    return inputs.score("notclip") if verb == "score" else getattr(inputs, verb)


@pytest.mark.parametrize("verb", KILLED)
def test_a_command_that_is_killed(verb, killing, inputs):
    killing.survives(verb, command_of(inputs, verb), seed=KILLED.index(verb))


def test_the_training_that_is_killed_has_chosen_an_epoch(inputs):
    record = json.loads((inputs.trained / "training.json").read_text())
    assert record["chosen_epoch"] > 0  # Else the weights would be the base's, however often it was killed.


def test_the_scoring_that_is_killed_writes_all_that_one_can_write(killing, inputs):
    inputs.result("notclip")
    names = set(killing.contents("score-undisturbed", inputs.score("notclip")))
    assert {"notclip.json", "notclip.predictions.npz", "notclip.junit.xml", "notclip.report/report.html"} <= names


@pytest.mark.skipif("NOTCLIP_TORTURE" not in os.environ, reason="`make torture` starts workers, which takes a while")
def test_the_workers_of_a_build_that_is_killed_write_nothing_more(killing, inputs):
    command = dataclasses.replace(inputs.build, argv=(*inputs.build.argv, "--workers", "2"))
    killing.survives_with_its_workers("build with workers", command, seed=1)


@pytest.mark.skipif("NOTCLIP_TORTURE" not in os.environ, reason="`make torture` tries each command")
@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="only root mounts a small disk")
@pytest.mark.parametrize("verb", COMMANDS)
def test_a_command_whose_disk_is_full(verb, killing, inputs):
    killing.survives_a_full_disk(verb, command_of(inputs, verb), seed=COMMANDS.index(verb))
