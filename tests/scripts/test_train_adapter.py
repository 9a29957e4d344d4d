"""What `notclip train-adapter` tells the shell."""

import pytest

from notclip import train_run
from notclip.scripts import train_adapter

ENTRY = {"macro_accuracy": 0.5, "plain_macro_accuracy": 0.4, "recall_at_5": 0.3, "negated_recall_at_5": 0.2}


@pytest.mark.parametrize(("epochs", "chosen", "status"), [(0, 0, 0), (2, 0, 1), (2, 1, 0)])
def test_the_backbone_is_a_failure_only_where_epochs_were_asked_for(monkeypatch, capsys, epochs, chosen, status):
    history = [ENTRY | {"epoch": epoch} for epoch in range(epochs + 1)]
    monkeypatch.setattr(train_run, "run_training", lambda config: {"history": history, "chosen_epoch": chosen})
    assert train_adapter.main(["--base", "b", "--data", "d", "--out", "o", "--epochs", str(epochs)]) == status
    assert ("No epoch kept ordinary recall" in capsys.readouterr().err) == (status == 1)
