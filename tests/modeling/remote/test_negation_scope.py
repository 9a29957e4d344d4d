"""The reader's contract: what is made of a tagger's labels, languages left whole, promises for every string."""

import importlib
import random
import string
import time
from pathlib import Path

import pytest

from notclip.remote.negation_language import language_of
from notclip.remote.negation_scope import NegationScope, read_scope, read_scopes
from notclip.remote.reading_tagger import LABELS

ROOT = Path(__file__).parents[3]
DATA = Path(__file__).parent / "data"
SHARED = ROOT.parent / "shared" / "data"


def benchmark(monkeypatch, name):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module(name)


class Labels:
    """A tagger that gives the labels it was told, or any."""

    def __init__(self, labels: str | None = None) -> None:
        self.labels, self.rng = labels, random.Random(0)

    def tag(self, texts):
        return [self.labels or "".join(self.rng.choices(LABELS, k=len(words))) for words in texts]


def read(text: str, labels: str) -> NegationScope:
    return read_scopes([text], tagger=Labels(labels.replace(" ", "")))[0]


@pytest.mark.parametrize(
    ("text", "labels", "affirmed", "negated"),
    [
        ("No hat and red hair", "CB AAA", "red hair", ("hat",)),
        ("no people, and a beach", "CB A AAA", "a beach", ("people",)),
        ("a beach with no people", "AADCB", "a beach", ("people",)),
        ("A man without a hat rides a horse .", "AACDBAAAA", "A man rides a horse", ("hat",)),
        ("no red or blue car", "CSDBI", "", ("red car", "blue car")),
        ("the cow whose head is not visible", "AADBDCD", "the cow", ("head",)),
        ("nobody smiling on a bench", "BI AAA", "on a bench", ("people smiling",)),
        ("a bench with no one on it", "AADCB DD", "a bench", ("people",)),
        ("no picture without a dog", "CDCAA", "a dog", ()),
        ("an umbrella-free beach", "ABCCA", "a beach", ("umbrella",)),
        ("This image has no dog.", "AAACBA", "", ("dog",)),
        ("a man (no hat) rides", "AAACBAA", "a man rides", ("hat",)),
        ("kitchen, no chairs, no tables, and a cat", "ADCBDCBDAAA", "kitchen and a cat", ("chairs", "tables")),
        ("no cats, no dogs and no cats", "CBDCBDCB", "", ("cats", "dogs")),
        ("no  small\ndog", "CBI", "", ("small dog",)),
    ],
)
def test_labels_become_an_affirmed_text_and_denied_phrases(text, labels, affirmed, negated):
    scope = read(text, labels)
    assert (scope.affirmed, scope.negated) == (affirmed, negated)
    assert bool(scope.spans) == bool(negated)


def test_spans_are_those_of_the_words():
    scope = read("a red car , no people", "AAADCB")
    assert [scope.text[slice(*span)] for span in scope.affirmed_spans] == ["a red car"]
    assert [scope.text[slice(*span)] for span in scope.cue_spans] == ["no"]
    assert [scope.text[slice(*span)] for span in scope.spans] == ["people"]


def test_the_kind_is_that_of_negbench():
    assert [scope.kind for scope in read_scope(["a dog", "no dog", "a cat, no dog"])] == [
        "affirmation",
        "negation",
        "hybrid",
    ]


def test_several_texts_are_read_as_each_by_itself():
    texts = ["a beach with no people", "a dog", "cat -dog", "", "praia sem pessoas", "a man who is not wearing a hat"]
    assert read_scope(texts) == [read_scope(text) for text in texts]
    assert read_scope([]) == []


def test_each_word_can_be_explained():
    scope = read_scope('a dog without a leash -"red ball"', explain=True)
    said = {scope.text[word.start : word.end]: (word.role, word.reason) for word in scope.words}
    assert said["red ball"] == ("denied", "operator")
    assert said["dog"][0] == "affirmed" and said["leash"][0] == "denied" and said["without"][0] == "cue"
    assert said["leash"][1].startswith("tagger")
    assert read_scope(scope.text).words == ()


def test_the_reader_is_deterministic_and_remembers():
    text = "A man in a kitchen, but no chair"
    assert read_scope(text) is read_scope(text)
    assert read_scope(text) == read_scopes([text])[0]


# ---- English, as people write it --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "size", "share"),
    [
        ("captions_0", 363, 0.969),
        ("captions_1", 308, 0.96),
        ("captions_2", 149, 0.986),
        ("captions_3", 238, 0.978),
        ("captions_4", 120, 0.94),
        ("captions_5", 83, 0.84),
        ("captions_6", 84, 0.92),
        ("clinical", 70, 0.914),
    ],
)
def test_lists_of_captions_are_read_as_their_writers_mean_them(monkeypatch, name, size, share):
    lists = benchmark(monkeypatch, "reading_lists")
    captions = list(lists.read_list(DATA / f"negation_{name}.txt"))
    read_scope([meant.text for meant in captions])
    wrong = {meant.text: fault for meant in captions if (fault := lists.fault_of(meant))}
    assert len(captions) == size
    assert len(wrong) <= (1 - share) * size, wrong


def test_paraphrases_with_concepts_of_two_words_are_read_as_their_frames_say(monkeypatch):
    lists, rng = benchmark(monkeypatch, "reading_lists"), random.Random(0)
    frames = list(lists.read_list(DATA / "negation_frames.txt"))
    filled = [lists.fill(frame, rng) for frame in frames for _ in range(3)]
    read_scope([meant.text for meant in filled])
    wrong = {meant.text: fault for meant in filled if (fault := lists.fault_of(meant))}
    assert len(frames) == 370
    assert len(wrong) <= 0.002 * len(filled), wrong


def test_captions_of_things_with_names_and_numbers_are_read_as_their_frames_say(monkeypatch):
    lists, rng = benchmark(monkeypatch, "reading_lists"), random.Random(0)
    names = (DATA / "negation_names.txt").read_text(encoding="utf-8").splitlines()
    frames = list(lists.read_list(DATA / "negation_names_frames.txt"))
    filled = [lists.fill(frame, rng, names) for frame in frames for _ in range(20)]
    read_scope([meant.text for meant in filled])
    wrong = {meant.text: fault for meant in filled if (fault := lists.fault_of(meant))}
    assert len(wrong) <= 0.015 * len(filled), wrong


@pytest.mark.parametrize("names", ["COCO", "negation_names.txt"])
def test_the_place_of_what_is_absent_is_no_part_of_it_and_stays_wanted(monkeypatch, names):
    lists, rng = benchmark(monkeypatch, "reading_lists"), random.Random(0)
    concepts = lists.COCO_CLASSES if names == "COCO" else (DATA / names).read_text(encoding="utf-8").splitlines()
    frames = list(lists.read_list(DATA / "negation_places_frames.txt"))
    filled = [lists.fill(frame, rng, concepts) for frame in frames for _ in range(20)]
    read_scope([meant.text for meant in filled])
    wrong = {meant.text: fault for meant in filled if (fault := lists.fault_of(meant))}
    assert len(frames) == 29
    assert len(wrong) <= 0.02 * len(filled), wrong


@pytest.mark.parametrize("end", [".", "!", " .", "..."])
def test_what_closes_a_text_changes_nothing_of_how_it_is_read(monkeypatch, end):
    lists = benchmark(monkeypatch, "reading_lists")
    texts = [
        meant.text.rstrip(" .!?…")
        for name in ("captions_5", "captions_6", "clinical")
        for meant in lists.read_list(DATA / f"negation_{name}.txt")
    ]
    open_ended, closed = read_scope(texts), read_scope([text + end for text in texts])
    for left, right in zip(open_ended, closed, strict=True):
        assert (left.negated, left.spans, left.cue_spans) == (right.negated, right.spans, right.cue_spans), right.text


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "negbench").is_dir(), reason="real NegBench files stand beside the repository")
@pytest.mark.parametrize(("name", "share"), [("VOC2007_mcq", 0.0005), ("msr_vtt_mcq", 0.017)])
def test_choices_of_negbench_are_read_right(monkeypatch, name, share):
    negbench = benchmark(monkeypatch, "reading_negbench")
    measure = {"VOC2007_mcq": negbench.measure_voc, "msr_vtt_mcq": negbench.measure_msr_vtt}[name]
    sound, wrong, broken = measure(next((SHARED / "negbench").glob(f"{name}*.csv")))
    assert sound > 3900 and len(broken) < 0.01 * sound
    assert len(wrong) <= share * sound


def test_the_judge_of_captions_sees_every_kind_of_fault(monkeypatch):
    lists = benchmark(monkeypatch, "reading_lists")
    text = "A man without a hat rides a horse"
    for affirmed, negated, fault in (
        (("man", "horse"), ("hat",), ""),
        (("man", "zebra"), ("hat",), "not affirmed: zebra"),
        (("man", "hat"), ("hat",), "not affirmed: hat"),
        (("man",), ("hat", "horse"), "not negated: horse"),
        (("man",), (), "wrongly negated: hat"),
    ):
        assert lists.fault_of(lists.Meant("", text, affirmed, negated)) == fault


# ---- languages --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("cachorro no sofá", "pt"),
        ("menino jogando bola no parque", "pt"),
        ("no hay perros en la calle", "es"),
        ("il n'y a pas de chat", "fr"),
        ("plage sans personne", "fr"),
        ("Strand ohne Menschen", "de"),
        ("donna senza occhiali", "it"),
        ("geen auto's op straat", "nl"),
        ("пляж без людей", "ru"),
        ("没有人的海滩", "zh"),
        ("犬のいない公園", "ja"),
    ],
)
def test_another_language_is_named_and_left_whole(text, language):
    assert read_scope(text) == NegationScope(text, text, language=language)


@pytest.mark.parametrize(
    "text",
    [
        "a beach with no people",
        "no smoking",
        "café, no piñata",
        "a non-stop flight",
        "los angeles skyline no cars",
        "a barn, no hay",
        "police van without sirens",
        "a Lhasa Apso, no Yorkshire Terrier",
        "no pizza",
        "sofa no camera",
        "die hard poster",
        "a jalapeño without seeds",
        "no 犬 in the picture",
        "",
        "?!",
        "-5 °C",
        "No focal consolidation.",
    ],
)
def test_english_is_not_taken_for_another_language(text):
    assert language_of(text) == "en"


# ---- promises for every string ----------------------------------------------------------------------------------


def random_texts(count: int) -> list[str]:
    rng = random.Random(0)
    words = (
        "no not without nobody n't neither nor or and , . ( ) a an the dog car-free -cat !x NOT : excludes free "
        "faces:no both"
    ).split()
    symbols = string.printable + "’“é犬🐕\u200b\u0301\x00İ"
    texts = [" ".join(rng.choices(words, k=rng.randint(0, 14))) for _ in range(count // 2)]
    return texts + ["no " + "".join(rng.choices(symbols, k=rng.randint(0, 60))) for _ in range(count // 2)]


@pytest.mark.parametrize("tagger", [Labels(), None])
def test_any_string_is_read_with_spans_inside_it_and_no_word_on_both_sides(tagger):
    texts = random_texts(2000)
    for text, scope in zip(texts, read_scopes(texts, tagger=tagger), strict=True):
        assert scope.text == text
        assert all(phrase.strip() for phrase in scope.negated)
        assert bool(scope.negated) == bool(scope.spans)
        for spans in (scope.spans, scope.cue_spans, scope.affirmed_spans):
            assert list(spans) == sorted(spans)
            assert all(0 <= start < end <= len(text) for start, end in spans)
        for start, end in scope.affirmed_spans:
            assert all(until <= start or end <= since for since, until in scope.spans)
        if not scope.negated and not scope.cue_spans:
            assert scope.affirmed == text


def test_text_without_a_cue_comes_back_unchanged():
    rng = random.Random(1)
    words = (
        "A man , in his red shirt rides two horses on the beach . while ; it's a dog's image is shown and seen".split()
    )
    for text in ["  ".join(rng.choices(words, k=rng.randint(0, 25))) for _ in range(500)]:
        assert read_scope(text) == NegationScope(text, text)


@pytest.mark.parametrize("unit", ["no ", "not (", "x ", ", dog ", "-cat ", "x x-free ", "don ' t ", "a-", "NOT ", '"'])
def test_time_grows_with_length_and_not_faster(unit):
    def seconds(characters: int) -> float:
        text = "no dog " + unit * (characters // len(unit))
        started = time.process_time()
        read_scopes([text])
        return time.process_time() - started

    short = min(seconds(2_500) for _ in range(3))
    assert min(seconds(20_000) for _ in range(2)) < 20 * short + 0.1
