"""The labelled set of what texts deny, its merge of two passes, and what the benchmark calls right."""

import importlib
import json
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from notclip.errors import BadInputError
from notclip.files.json_files import check_record
from notclip.hub_cards.staging.reader import RESULTS
from notclip.remote.negation_scope import NegationScope

ROOT = Path(__file__).parents[2]
SET = ROOT / "benchmarks" / "reading_data"
POOL = ROOT.parent / "shared" / "data" / "reading" / "pool.jsonl"
needs_pool = [pytest.mark.shared, pytest.mark.skipif(not POOL.exists(), reason="../shared is absent")]
SPLITS = ("train", "development", "test")


@pytest.fixture
def module(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module


@pytest.fixture
def reading_set(module):
    return module("reading_set")


def every_text(reading_set, pool=None):
    return [text for split in SPLITS for text in reading_set.read_split(split, pool=pool)]


def rows(split):
    return [json.loads(line) for line in (SET / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()]


def test_without_the_pool_the_texts_that_may_be_passed_on_are_read(reading_set):
    texts = every_text(reading_set)
    assert {text.source for text in texts} == {
        "fashioniq",
        "negrefcocog",
        "nlvr2",
        "openi",
        "queries",
        "queries-own",
        "queries-apps",
    }
    assert sum(text.source == "queries-own" for text in texts) >= 150


def test_no_row_passes_on_a_text_that_is_for_research_alone():
    for row in (row for split in SPLITS for row in rows(split)):
        assert (row["text"] is None) == (row["source"] in ("flickr30k", "plain")) == (row["sha256"] is not None)
    for name in "ab":
        for line in (SET / "passes" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            marks = [type(mark) for mark in row["denied"] + row["affirmed"]]
            assert len(set(marks)) <= 1  # words, or spans where the text is withheld


@pytest.mark.parametrize("pool", [None, pytest.param(POOL, marks=needs_pool)])
def test_spans_mark_whole_words_within_their_text_and_do_not_overlap(reading_set, pool):
    for text in every_text(reading_set, pool):
        assert list(reading_set.faults_of(text)) == []
        for start, end in text.denied + text.affirmed:
            assert re.fullmatch(r"(?<!\w)\w(.*\w)?(?!\w)", text.text[start:end], flags=re.DOTALL), text
            assert not re.match(r"\w", text.text[end:]) and not re.search(r"\w$", text.text[:start]), text


@pytest.mark.shared
@pytest.mark.skipif(not POOL.exists(), reason="../shared is absent")
def test_texts_that_differ_in_digits_signs_or_case_alone_are_in_one_split(reading_set):
    splits = defaultdict(set)
    texts = every_text(reading_set, POOL)
    for text in texts:
        splits[" ".join(re.findall(r"[^\W\d_]+", text.text.lower()))].add(text.split)
    assert all(len(found) == 1 for found in splits.values())
    assert len({text.id for text in texts}) == len(texts) == 2807
    shares = Counter(text.split for text in texts)
    assert shares["train"] / len(texts) == pytest.approx(0.6, abs=0.03)


@pytest.mark.shared
@pytest.mark.skipif(not POOL.exists(), reason="../shared is absent")
def test_the_set_is_what_the_passes_give(module, tmp_path, capsys):
    import shutil

    made = shutil.copytree(SET, tmp_path / "set")
    for split in SPLITS:
        (made / f"{split}.jsonl").unlink()
    assert module("merge_reading_labels").main([str(POOL), "--folder", str(made)]) == 0
    for file in SET.iterdir():
        if file.is_file():
            assert (made / file.name).read_bytes() == file.read_bytes(), file.name


def test_a_pool_with_another_text_is_refused_with_the_line_named(reading_set, tmp_path):
    pool = tmp_path / "pool.jsonl"
    pool.write_text('{"source": "plain", "text": "A dog."}\n' * 6000, encoding="utf-8")
    with pytest.raises(BadInputError, match=r"train.jsonl, row \d+ .*labelled text: .*another text.*A dog"):
        reading_set.read_split("train", pool=pool)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"denied": [[3, 30]]}, "span 3–30 lies outside"),
        ({"affirmed": [[0, 3], [2, 9]]}, "the spans at 0 and 2 overlap"),
        ({"split": "test"}, "`split` is 'test'"),
        ({"denied": "dog"}, "not a labelled text"),
    ],
)
def test_a_row_that_is_not_as_the_card_says_is_refused(reading_set, tmp_path, change, message):
    row = {"id": "x-1", "source": "x", "text": "man without a hat", "denied": [[14, 17]], "affirmed": [[0, 3]]}
    row |= {"split": "train", "sha256": None}
    (tmp_path / "train.jsonl").write_text(json.dumps(row | change), encoding="utf-8")
    with pytest.raises(BadInputError, match=re.escape(message)):
        reading_set.read_split("train", folder=tmp_path)
    (tmp_path / "train.jsonl").write_text(json.dumps(row), encoding="utf-8")
    assert reading_set.read_split("train", folder=tmp_path)[0].denied == ((14, 17),)


def test_a_split_that_is_none_is_refused(reading_set):
    with pytest.raises(BadInputError, match="development, test, got 'dev'"):
        reading_set.read_split("dev")


def test_what_both_passes_say_is_kept_and_what_one_says_is_free(module):
    both_say = module("merge_reading_labels").both_say
    text = "not looking at the camera"
    assert both_say(text, [(4, 25)], [(4, 11)]) == [(4, 11)]  # looking
    assert both_say(text, [(4, 25)], []) == []
    assert both_say("t-shirt", [(0, 7)], [(2, 7)]) == [(2, 7)]
    assert both_say("sunset", [(0, 3)], [(0, 6)]) == []  # half a word


def test_a_mark_that_is_not_in_its_text_is_refused(module):
    with pytest.raises(BadInputError, match=r"'cat'.*cannot be placed in 'a dog'"):
        module("merge_reading_labels").place_marks("a dog", ["cat"], [])


LABEL = ("the cow whose head is not visible", ((14, 18),), ((4, 7),))


@pytest.mark.parametrize(
    ("affirmed", "negated", "fault"),
    [
        ("the cow", ["head"], ""),
        ("cows", ["heads visible"], ""),  # plurals and free words
        ("", ["cow whose head"], "lost: cow; wrongly denied: cow"),
        ("the cow whose head is not visible", [], "not denied: head; still affirmed: head"),
        ("the cow whose head", ["head"], "still affirmed: head"),
        ("the cow", ["cow", "head"], "wrongly denied: cow"),
    ],
)
def test_a_reading_is_right_where_every_labelled_word_stands_on_its_side_alone(module, affirmed, negated, fault):
    labelled = module("reading_set").LabelledText("x-1", "x", *LABEL, "train")
    assert module("reading_judge").fault_of(labelled, affirmed, negated) == fault


def test_articles_pronouns_and_frames_never_count(module):
    assert module("reading_judge").counted_words(["The man is wearing his hat in this picture"]) == {"man", "hat"}


@pytest.mark.parametrize(
    ("scope", "fault"),
    [
        (NegationScope("a dog", "a dog"), []),
        (NegationScope("no dog", "", ("dog",), ((3, 6),), ((0, 2),)), []),
        (NegationScope("no dog", "", ("dog",), ((3, 9),)), ["the span 3–9 lies outside the text"]),
        (
            NegationScope("no dog", "dog", ("dog",), ((3, 6),), (), ((0, 6),)),
            ["the span 3–6 is both affirmed and denied"],
        ),
        (NegationScope("no dog", "", (" ",), ((3, 6),)), ["an empty phrase is denied"]),
        (NegationScope("no dog", "", ("dog",)), ["phrases without spans, or spans without phrases"]),
        (NegationScope("a dog", "dog"), ["nothing is denied, but the text is changed"]),
    ],
)
def test_a_broken_promise_of_a_reading_is_named(module, scope, fault):
    assert list(module("reading").broken_invariants(scope.text, scope)) == fault


def test_findings_of_a_report_are_those_that_some_mention_does_not_deny(module):
    openi = module("reading_openi")
    sentences = tuple(openi.mentions_in("No effusion or mass. Small nodule. Clear lungs."))
    assert [[name for name, *_ in found] for _, found in sentences] == [["Effusion", "Mass"], ["Nodule"]]
    sick = openi.Report(sentences, frozenset({"Nodule", "Mass"}), normal=False)
    well = openi.Report(sentences[:1], frozenset(), normal=True)
    figures = openi.measure([sick, well], module("reading").ours_denies)
    assert (figures.absent, figures.read_absent) == (2, 2)
    assert figures.f1 == figures.f1_unhedged == pytest.approx(2 / 3)  # one right, none wrong, one missed


def test_a_finding_of_a_sentence_that_hedges_counts_in_one_figure_alone(module):
    openi = module("reading_openi")
    sentences = tuple(openi.mentions_in("Opacity may represent atelectasis. Small nodule."))
    assert openi.micro_f1([{"Nodule", "Atelectasis"}], [{"Nodule"}]) == 1.0  # no report is labelled with atelectasis
    labelled = openi.Report((), frozenset({"Atelectasis"}), normal=False)
    figures = openi.measure(
        [openi.Report(sentences, frozenset({"Nodule"}), normal=False), labelled], lambda _, found: [False] * len(found)
    )
    assert figures.f1 == pytest.approx(1 / 2)  # one right, one wrong, one missed
    assert figures.f1_unhedged == pytest.approx(2 / 3)  # one right, none wrong, one missed


def test_the_benchmark_runs_without_what_lies_beside_the_repository(module, tmp_path, capsys, monkeypatch):
    reading = module("reading")
    monkeypatch.setattr(reading, "negspacy_denies", lambda: None)
    monkeypatch.setattr(reading, "medspacy_denies", lambda: None)
    out = tmp_path / "results" / "reading.json"
    assert reading.main(["--shared", str(tmp_path), "--strings", "10", "--errors", "1", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "negspacy is not installed" in printed and "no reports" in printed
    assert re.search(r"\| queries-own \| 34 \| \d+\.\d % \(", printed) and "flickr30k" not in printed
    results = json.loads(out.read_text(encoding="utf-8"))
    check_record(results, RESULTS, "results")  # as `notclip stage-reader` reads them
    own = results["rightly_read"]["queries-own"]
    assert own["ours"]["texts"] == 34 and own["labels alone"]["right"] <= own["ours"]["right"]
    assert results["rightly_read"]["all"] == results["rightly_read"]["all that may be passed on"]
