"""A user's own suite: what `init-suite` starts runs at once, and what she gets wrong is named."""

import pytest
import yaml
from PIL import Image

from notclip.errors import BadInputError
from notclip.scoring.suites.read import read_suite
from notclip.scoring.suites.start import PICTURES, start_suite
from notclip.scripts.init_suite import draw_example


@pytest.fixture
def photos(tmp_path):
    for name in ("a.png", "b.png"):
        Image.new("RGB", (8, 8), "red").save(tmp_path / name)
    return tmp_path


def write(folder, **content):
    (folder / "suite.yaml").write_text(yaml.safe_dump(content))
    return folder


QUESTION = {"image": "a.png", "correct": "a dog, but no cat", "wrong": ["a cat", "no dog"]}
QUERY = {"text": "no cat", "image": "a.png", "excluded": ["b.png"]}


def test_questions_and_queries_are_read(photos):
    questions = [QUESTION | {"group": "pair"}, QUESTION | {"image": "b.png", "wrong": "a cat", "group": "pair"}]
    suite = read_suite(write(photos, questions=questions, queries=[QUERY, {"text": "a dog", "image": "b.png"}]))
    first, second = suite.questions
    assert first.choices == ("a dog, but no cat", "a cat", "no dog")
    assert (first.choice_kinds, first.answer, first.group) == (("hybrid", "affirmation", "negation"), 0, "pair")
    assert second.choices[1:] == ("a cat",)
    assert [(query.text, set(query.excluded)) for query in suite.negated_queries] == [("no cat", {"b.png"})]
    assert [query.text for query in suite.ordinary_queries] == ["a dog"]
    assert set(suite.gallery) == {"a.png", "b.png"}
    assert set(suite.files) == {"suite.yaml"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"questions": [QUESTION | {"correct": ""}]}, r"questions 1 \(a.png\): `correct` must be a caption .* got ''"),
        (
            {"questions": [QUESTION, QUESTION | {"wrong": []}]},
            r"questions 2 \(a.png\): `wrong` .*at least one",
        ),
        ({"questions": [QUESTION | {"wrong": [1]}]}, r"questions 1: `wrong` .*list of captions.*in quotes"),
        (
            {"questions": [QUESTION | {"correct": False}]},
            r"`correct` must be .* got False. Put texts in quotes: .* bare no",
        ),
        ({"questions": [QUESTION | {"wrong": "a dog, but no cat"}]}, "among the wrong"),
        ({"questions": [QUESTION | {"corect": "x"}]}, "questions 1: unknown key 'corect'; did you mean `correct`"),
        ({"questions": [QUESTION | {"image": "c.png"}]}, "questions 1: there is no photo 'c.png'"),
        ({"questions": [QUESTION | {"image": "../a.png"}]}, "questions 1: the photo's path must stay inside"),
        ({"questions": ["a dog"]}, "questions 1: .*keys image, .*group"),
        ({"questions": {"image": "a.png"}}, "`questions` .*list .*got dict"),
        ({"questions": [], "queries": []}, "at least one example"),
        ({"queries": [QUERY | {"excluded": ["a.png"]}]}, "'a.png' .*under `excluded`"),
        ({"queries": [QUERY], "extra": 1}, "may hold `questions` and `queries`, got 'extra'"),
        ({"extra": 1}, "`questions:` or `queries:`"),
    ],
)
def test_what_is_wrong_is_named_with_its_example(photos, content, message):
    with pytest.raises(BadInputError, match=message):
        read_suite(write(photos, **content))


@pytest.mark.parametrize("text", ["questions: [", "!!python/object/apply:os.abort []", "\x00"])
def test_what_is_no_plain_yaml_is_refused(photos, text):
    (photos / "suite.yaml").write_text(text)
    with pytest.raises(BadInputError, match=r"The suite .* is not valid YAML"):
        read_suite(photos)


def test_missing_photos_may_be_skipped(photos):
    folder = write(photos, questions=[QUESTION, QUESTION | {"image": "c.png"}])
    suite = read_suite(folder, skip_missing=True)
    assert len(suite.questions) == 1
    assert "no photo 'c.png'" in suite.skipped[0]


@pytest.mark.parametrize("form", ["yaml", "csv"])
def test_a_started_suite_is_one_that_can_be_scored(tmp_path, form):
    first, *_ = start_suite(tmp_path / "mine", draw=draw_example, form=form)
    assert first.name == f"suite.{form}"
    suite = read_suite(tmp_path / "mine")
    assert len(suite.photos) == len(PICTURES)
    assert len(suite.questions) == 6
    assert {question.kind for question in suite.questions} == {"affirmation", "negation", "hybrid"}
    assert len({question.group for question in suite.questions}) == 3
    if form == "yaml":
        assert (len(suite.negated_queries), len(suite.ordinary_queries)) == (2, 2)
    with pytest.raises(BadInputError, match=f"holds suite.{form}"):
        start_suite(tmp_path / "mine", draw=draw_example, form=form)


def test_no_words_of_the_started_suite_give_an_answer_away(tmp_path):
    start_suite(tmp_path, draw=draw_example)
    by_group = {}
    for question in read_suite(tmp_path).questions:
        by_group.setdefault(question.group, []).append(question)
    for first, second in by_group.values():
        assert first.choices[first.answer] in second.choices[1:]
        assert second.choices[second.answer] in first.choices[1:]


@pytest.mark.parametrize("form", ["yaml", "csv"])
def test_photos_that_are_there_become_examples_with_blanks(photos, form):
    Image.new("RGB", (8, 8)).save(photos / "a10.png")
    Image.new("RGB", (8, 8)).save(photos / "a9.png")
    (file, *_) = start_suite(photos, draw=draw_example, form=form)
    text = file.read_text()
    assert text.index("a9.png") < text.index("a10.png") < text.index("b.png")
    assert not (photos / "photos").exists()
    with pytest.raises(BadInputError, match=r"not be empty|caption that is true"):
        read_suite(photos)


@pytest.mark.parametrize("left", [["street_car.png"], list(PICTURES)])
def test_a_start_that_was_killed_while_it_drew_starts_again_to_the_same_bytes(tmp_path, left):
    def content(folder):
        return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    start_suite(tmp_path / "whole" / "mine", draw=draw_example)
    (tmp_path / "killed" / "mine" / "photos").mkdir(parents=True)
    for name in left:
        (tmp_path / "killed" / "mine" / "photos" / name).write_bytes(b"half")
    start_suite(tmp_path / "killed" / "mine", draw=draw_example)
    whole, killed = content(tmp_path / "whole"), content(tmp_path / "killed")
    assert killed.pop("README.md") and whole.pop("README.md")  # Which names its folder.
    assert killed == whole
