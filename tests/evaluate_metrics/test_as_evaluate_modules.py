"""Both metrics as users meet them: `evaluate.load` of the folder, batches, processes, arrays, the Space's app."""

import doctest
import importlib.util
import subprocess
import sys
from pathlib import Path

import evaluate
import numpy as np
import pytest
import yaml

from notclip.evaluate_metrics.negated_mcq.negated_mcq import score_questions
from notclip.evaluate_metrics.negated_retrieval.negated_retrieval import score_retrieval

FOLDER = Path(__file__).parents[2] / "evaluate_metrics"
METRICS = ("negated_mcq", "negated_retrieval")
KINDS = ["affirmation", "negation", "hybrid", "negation"]


def load(name, **options):
    return evaluate.load(str(FOLDER / name), **options)


@pytest.fixture
def questions():
    generator = np.random.default_rng(0)
    return {
        "predictions": generator.normal(size=(40, 4)),
        "references": generator.integers(0, 4, 40),
        "choice_kinds": [list(generator.permutation(KINDS)) for _ in range(40)],
        "image_ids": [f"image {number // 2}" for number in range(40)],
        "groups": [None if number < 4 else f"pair {number // 2}" for number in range(40)],
        "shuffled_predictions": generator.normal(size=(40, 4)),
    }


@pytest.fixture
def search():
    generator = np.random.default_rng(0)
    images = [f"image {number}" for number in range(20)]
    return {
        "predictions": [list(generator.permutation(images)) for _ in range(30)],
        "references": [[str(generator.choice(images))] for _ in range(30)],
        "excluded": [list(generator.choice(images, 3, replace=False)) for _ in range(30)],
    }


def halves(columns):
    count = len(columns["predictions"])
    for half in (slice(0, count // 2), slice(count // 2, count)):
        yield {name: values[half] for name, values in columns.items()}


def test_the_loaded_modules_give_the_figures_of_the_plain_functions(questions, search):
    assert load("negated_mcq").compute(**questions, seed=1) == score_questions(questions, seed=1)
    assert load("negated_retrieval").compute(**search, seed=1) == score_retrieval(search, seed=1)


@pytest.mark.parametrize("metric_and_columns", ["questions", "search"])
def test_batches_with_their_optional_columns_give_the_figures_of_the_whole(metric_and_columns, request):
    columns = request.getfixturevalue(metric_and_columns)
    metric = load("negated_mcq" if metric_and_columns == "questions" else "negated_retrieval")
    whole = metric.compute(**columns)
    for half in halves(columns):
        metric.add_batch(**half)
    assert metric.compute() == whole
    # And afterwards the module is as new.
    assert metric.compute(**columns) == whole


def test_single_rows_give_the_figures_of_the_whole(questions):
    metric = load("negated_mcq")
    for prediction, reference, kinds in zip(
        questions["predictions"], questions["references"], questions["choice_kinds"], strict=True
    ):
        metric.add(prediction=prediction, reference=reference, choice_kinds=kinds)
    expected = score_questions(
        {
            "predictions": questions["predictions"],
            "references": questions["references"],
            "choice_kinds": questions["choice_kinds"],
        }
    )
    assert metric.compute() == expected


def test_torch_tensors_and_numbers_for_kinds_are_taken(questions):
    torch = pytest.importorskip("torch")
    scores, answers = torch.tensor(questions["predictions"]), torch.tensor(questions["references"])
    numbers = [
        ["affirmation", "negation", "hybrid"].index(kinds[a])
        for kinds, a in zip(questions["choice_kinds"], questions["references"], strict=True)
    ]
    metric = load("negated_mcq")
    metric.add_batch(predictions=scores, references=answers, kinds=torch.tensor(numbers))
    expected = score_questions(
        {"predictions": questions["predictions"], "references": questions["references"], "kinds": numbers}
    )
    assert metric.compute() == expected
    assert metric.compute(predictions=scores, references=answers, kinds=numbers) == expected


def test_a_nan_is_refused_however_it_comes(questions):
    questions["predictions"][3, 1] = np.nan
    with pytest.raises(ValueError, match="`predictions` row 3, choice 1"):
        load("negated_mcq").compute(**questions)
    with pytest.raises(ValueError, match="`predictions` row 3, choice 1"):
        load("negated_mcq").add_batch(**questions)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"references": [0.5, 1]}, "`references` .*whole numbers .* got 0.5"),
        ({"references": [True, True]}, "`references` .*whole numbers .* got True"),
        ({"references": [0]}, "`references` .*number for each of 2 questions"),
        ({"references": None}, "`predictions` and `references` must be given together"),
        ({"predictions": np.zeros(2)}, "`predictions` row 0 .*at least two .*got 0.0"),
        ({"predictions": np.zeros((2, 2, 1))}, "`predictions` row 0 .*at least two scores"),
        ({"predictions": [["a", "b"], [0, 1]]}, "`predictions` row 0 .*list of numbers"),
    ],
)
def test_what_evaluate_would_cast_or_misname_is_refused_as_by_the_plain_function(change, message):
    columns = {"predictions": [[0.2, 0.1], [0.1, 0.2]], "references": [0, 1]} | change
    metric = load("negated_mcq")
    for refusing in (metric.compute, metric.add_batch):
        with pytest.raises(ValueError, match=message):
            refusing(**columns)
    assert metric.compute(predictions=[[0.2, 0.1]], references=[0], n_resamples=0)["accuracy"] == 1


def test_ids_are_found_whether_they_come_as_text_numbers_arrays_or_tensors():
    torch = pytest.importorskip("torch")
    found, right = [[3, 1], [1, 3]], [[3], [3]]
    for kind in (np.array, torch.tensor, lambda rows: [list(torch.tensor(row)) for row in rows]):
        metric = load("negated_retrieval")
        figures = metric.compute(predictions=kind(found), references=[["3"], ["3"]], ks=[1], n_resamples=0)
        assert figures == score_retrieval(
            {"predictions": found, "references": kind(right), "image_ids": [3, 3]}, ks=[1], n_resamples=0
        )
        assert figures["recall@1"] == 0.5


def test_a_row_of_a_batch_that_holds_no_ids_is_named():
    with pytest.raises(ValueError, match=r"`references` row 1 .*'b'"):
        load("negated_retrieval").add_batch(predictions=[["a"], ["b"]], references=[["a"], "b"])


def test_scores_with_a_gradient_are_taken():
    torch = pytest.importorskip("torch")
    scores = torch.tensor([[0.2, 0.1]], requires_grad=True)
    figures = load("negated_mcq").compute(
        predictions=scores, references=torch.tensor([0]), shuffled_predictions=-scores, n_resamples=0
    )
    assert figures["accuracy"] == figures["vision_gain"] == 1


def test_batches_with_different_columns_are_refused(questions):
    metric = load("negated_mcq")
    first, second = halves(questions)
    metric.add_batch(**first)
    second.pop("image_ids")
    with pytest.raises(ValueError, match=r"Every batch .*columns"):
        metric.add_batch(**second)
    with pytest.raises(ValueError, match=r"Columns must be among .*kinds, .*, got colours"):
        load("negated_mcq").add_batch(predictions=[[0, 1]], references=[0], colours=["red"])


def test_combined_modules_agree(questions):
    combined = evaluate.combine({"first": load("negated_mcq"), "second": load("negated_mcq")})
    for half in halves({name: questions[name] for name in ("predictions", "references")}):
        combined.add_batch(**half)
    figures = combined.compute(choice_kinds=questions["choice_kinds"])
    expected = score_questions(
        {
            "predictions": questions["predictions"],
            "references": questions["references"],
            "choice_kinds": questions["choice_kinds"],
        }
    )
    assert figures["first_accuracy"] == figures["second_accuracy"] == expected["accuracy"]
    assert figures["first_accuracy_by_kind"] == expected["accuracy_by_kind"]


def test_two_processes_make_one_result(tmp_path):
    script = """
import sys, evaluate, numpy as np
metric = evaluate.load(sys.argv[1], num_process=2, process_id=1, experiment_id="two", cache_dir=sys.argv[2])
scores = np.random.default_rng(0).normal(size=(40, 4))[20:]
metric.add_batch(predictions=scores, references=[0] * 20, kinds=["hybrid"] * 20)
print(metric.compute())
"""
    scores = np.random.default_rng(0).normal(size=(40, 4))
    folder, cache = str(FOLDER / "negated_mcq"), str(tmp_path)
    other = subprocess.Popen([sys.executable, "-c", script, folder, cache], stdout=subprocess.PIPE, text=True)
    metric = evaluate.load(folder, num_process=2, process_id=0, experiment_id="two", cache_dir=cache)
    metric.add_batch(predictions=scores[:20], references=[0] * 20, kinds=["hybrid"] * 20)
    figures = metric.compute()
    assert other.communicate(timeout=100)[0].split() == ["None"]
    assert figures == score_questions({"predictions": scores, "references": [0] * 40, "kinds": ["hybrid"] * 40})


@pytest.mark.parametrize("name", METRICS)
def test_the_card_is_in_the_form_of_metric_spaces_and_its_example_is_true(name, monkeypatch):
    text = (FOLDER / name / "README.md").read_text(encoding="utf-8")
    front_matter = yaml.safe_load(text.split("---\n")[1])
    assert set(front_matter) >= {"title", "emoji", "sdk_version", "pinned", "tags", "description"}
    assert front_matter["sdk"] == "gradio"
    assert front_matter["app_file"] == "app.py"
    assert {"evaluate", "metric"} <= set(front_matter["tags"])
    monkeypatch.chdir(FOLDER)
    test = doctest.DocTestParser().get_doctest(text, {}, name, None, None)
    assert len(test.examples) >= 4
    assert doctest.DocTestRunner().run(test).failed == 0


@pytest.mark.parametrize("name", METRICS)
def test_the_app_of_the_space_computes_its_example_and_explains_bad_input(name):
    gradio = pytest.importorskip("gradio")
    app = _app(name)
    more = ["1 3"] if name == "negated_retrieval" else []
    figures = app.compute(app.EXAMPLE, *more)
    assert figures["recall@1" if more else "accuracy"] > 0.5
    with pytest.raises(gradio.Error, match=r"first line .*columns"):
        app.compute("a,b\n1,2", *more)
    assert app.build() is not None


def test_the_pages_refuse_a_missing_score_and_a_depth_that_is_no_number():
    pytest.importorskip("gradio")
    questions, search = (_app(name) for name in METRICS)
    assert questions.read_table("answer,score_0,score_1,score_2\n0,1,2,\n")["predictions"] == [[1.0, 2.0]]
    with pytest.raises(ValueError, match=r"Line 2: .* float"):
        questions.read_table("answer,score_0,score_1,score_2\n0,,1,2\n")
    with pytest.raises(Exception, match=r"Depths k .*whole numbers .*got '1 x'"):
        search.compute(search.EXAMPLE, "1 x")


def _app(name):
    spec = importlib.util.spec_from_file_location(f"{name}_app", FOLDER / name / "app.py")
    app = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(app)
    return app


def test_the_page_of_the_questions_takes_groups():
    app = _app("negated_mcq")
    columns = app.read_table("answer,group,score_0,score_1\n0,pair,0.9,0.2\n1,pair,0.9,0.2\n1,,0.1,0.3\n")
    assert columns["groups"] == ["pair", "pair", ""]
    figures = score_questions(columns)
    assert (figures["n_groups"], figures["group_score"], round(figures["accuracy"], 3)) == (1, 0.0, 0.667)
    assert app.read_table(app.EXAMPLE)["groups"] == ["pair 1", "", "pair 1"]
