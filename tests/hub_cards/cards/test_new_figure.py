"""A new figure is one entry of the registry: every place that shows figures then shows it, and the gate takes it."""

import json

from notclip.hub_cards.cards.eval_results import eval_result_files
from notclip.hub_cards.cards.front_matter import model_front_matter
from notclip.hub_cards.cards.render import model_card
from notclip.hub_cards.staging.release import ROLES, read_release
from notclip.scoring.gate import Requirement, judge
from notclip.scoring.measures import MEASURES, QUESTIONS, Measure, Shown
from notclip.scoring.report.table import as_markdown, compare_results
from notclip.scripts.score_model import results_table
from notclip.space.about_tab import results_html


def test_a_figure_that_is_registered_once_is_shown_everywhere(inputs, monkeypatch):
    called = Shown(
        "doubts",
        card="Doubts of the model",
        index="Doubts, for the Hub",
        metric_type="doubts",
        task="questions_doubts",
        plain="How much it doubts",
        compared=True,
        ablated=True,
    )
    monkeypatch.setitem(MEASURES, "doubts", Measure(QUESTIONS, {"": called}))
    for share, role in enumerate(ROLES):
        file = inputs.folder / f"{role}.json"
        content = json.loads(file.read_text())
        content["metrics"]["doubts"] = 0.125 + share / 4
        content["confidence_intervals"]["doubts"] = [0.0, 1.0]
        label = f"{json.loads((inputs.folder / 'base.json').read_text())['model']} (base)"
        content["comparisons"] = {label: {"doubts_difference": 0.5, "confidence_intervals": {}}}
        file.write_text(json.dumps(content))
    release = read_release(inputs.config())
    base, notclip = release.scored["base"], release.scored["notclip"]

    card = model_card(release, "model")
    assert "| Doubts of the model | 12.5 [0.0, 100.0] | 37.5 [0.0, 100.0] | 62.5 [0.0, 100.0] |" in card
    assert "| Doubts of the model | +50.0 | +25.0 | +50.0 |" in card
    assert "name: Doubts, for the Hub" in model_front_matter(release, "model")
    entries = {one["dataset"]["task_id"]: one for one in eval_result_files(release, notclip)["negated_mcq.yaml"]}
    assert entries["questions_doubts"]["value"] == 0.625
    rows = as_markdown(compare_results(notclip, [base]))
    assert "| doubts | 62.5 [0.0, 100.0] | 12.5 [0.0, 100.0] | +50.0 |" in rows
    terminal = "\n".join(results_table(notclip.path, notclip.content))
    assert terminal.count("doubts") == 2  # measured, and compared
    (verdict,) = judge([Requirement.parse("doubts>=0.5")], notclip)
    assert (verdict.value, verdict.met) == (0.625, False)
    assert "How much it doubts" in results_html(inputs.folder)
