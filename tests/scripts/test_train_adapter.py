"""What `notclip train-adapter` tells the shell."""

import pytest

from notclip.scripts import train_adapter
from notclip.training import run as train_run

ENTRY = {"macro_accuracy": 0.5, "plain_macro_accuracy": 0.4, "recall_at_5": 0.3, "negated_recall_at_5": 0.2}


@pytest.mark.parametrize(("epochs", "chosen", "status"), [(0, 0, 0), (2, 0, 1), (2, 1, 0)])
def test_the_backbone_is_a_failure_only_where_epochs_were_asked_for(monkeypatch, capsys, epochs, chosen, status):
    history = [ENTRY | {"epoch": epoch, "recall_at_5": 0.3 if epoch == chosen else 0.2} for epoch in range(epochs + 1)]
    monkeypatch.setattr(
        train_run,
        "run_training",
        lambda config: {"history": history, "chosen_epoch": chosen, "texts_cut": 0, "trained_towers": ["text"]},
    )
    assert train_adapter.main(["--base", "b", "--data", "d", "--out", "o", "--epochs", str(epochs)]) == status
    assert ("No epoch kept ordinary recall" in capsys.readouterr().err) == (status == 1)


def test_an_adapter_that_helps_at_home_alone_is_not_shipped_and_the_command_says_so(monkeypatch, capsys):
    away = {"away_macro_accuracy": 0.5, "away_recall_at_5": 0.3}
    better = {"macro_accuracy": 0.7, "away_macro_accuracy": 0.45}
    history = [ENTRY | away | {"epoch": 0}, ENTRY | away | better | {"epoch": 1}]
    monkeypatch.setattr(
        train_run,
        "run_training",
        lambda config: {"history": history, "chosen_epoch": 0, "texts_cut": 0, "trained_towers": ["text"]},
    )
    assert train_adapter.main(["--base", "b", "--data", "d", "--out", "o", "--epochs", "1"]) == 1
    said = capsys.readouterr().err
    assert "helps at home alone" in said and "the backbone with the composition alone" in said


def test_an_epoch_that_forgot_nothing_and_learnt_nothing_is_not_said_to_have_forgotten(monkeypatch, capsys):
    history = [ENTRY | {"epoch": 0}, ENTRY | {"epoch": 1, "macro_accuracy": 0.45}]
    monkeypatch.setattr(
        train_run,
        "run_training",
        lambda config: {"history": history, "chosen_epoch": 0, "texts_cut": 0, "trained_towers": ["text"]},
    )
    assert train_adapter.main(["--base", "b", "--data", "d", "--out", "o", "--epochs", "1"]) == 1
    said = capsys.readouterr().err
    assert "answered more validation questions than the backbone" in said
    assert "No epoch kept ordinary recall" not in said
