"""The learned tagger: what its labels promise for every text, and that it is a model of transformers."""

import random

import pytest
import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline

from notclip.reader_folder import write_reader
from notclip.remote.reading_tagger import LABELS, Tagger, may_deny, with_cues
from notclip.remote.reading_words import split_words


def words_of(text: str) -> list[str]:
    return [text[start:end] for start, end in split_words(text)]


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("a man without a hat", "AACDB"),
        ("a dog runs on the beach", "AAAAAA"),
        ("the cow whose head is not visible", "AADBDCD"),
        ("no red hat", "CBI"),
    ],
)
def test_words_are_affirmed_denied_cues_or_dropped(text, labels):
    found = Tagger.default().tag([words_of(text)])[0]
    # Whether "is" belongs to the cue is nobody's concern.
    assert found.replace("C", "D") == labels.replace("C", "D")


def test_where_something_is_denied_a_word_that_can_deny_it_is_a_cue():
    words = words_of("a ramp, with seals nowhere in sight")
    assert with_cues(words, "AADDBDDD") == "AADDBCDD"
    assert with_cues(words_of("a ramp in sight"), "ABDD") == "ABDD"


def random_words(rng: random.Random) -> list[str]:
    pool = (
        "no not without neither nor n't a the man dog hat 737-200 犬 é - , . nobody zero red free ' \u200b xqzt".split(
            " "
        )
    )
    return [rng.choice(pool) for _ in range(rng.randrange(30))]


def test_the_inside_of_a_denied_phrase_follows_its_beginning_and_a_text_without_a_cue_is_affirmed():
    rng = random.Random(0)
    texts = [random_words(rng) for _ in range(300)]
    for words, labels in zip(texts, Tagger.default().tag(texts), strict=True):
        assert len(labels) == len(words) and set(labels) <= set(LABELS)
        assert all(before in "BI" for before, label in zip(f" {labels}", labels, strict=False) if label == "I")
        assert "S" not in labels[labels.rfind("B") + 1 :]
        if not may_deny(words):
            assert set(labels) <= {"A"}


def test_a_text_is_tagged_alike_alone_and_among_others():
    rng = random.Random(1)
    texts = [random_words(rng) for _ in range(50)]
    tagger = Tagger.default()
    assert tagger.tag(texts) == [tagger.tag([words])[0] for words in texts]


def test_a_training_in_half_precision_changes_nothing_of_what_is_read():
    tagger = Tagger.default()
    words = words_of("a zygodactyl on a pogo stick without any skyscrapers or armadillos")
    scores = tagger.probabilities(words)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert tagger.probabilities(words) == scores


def test_no_text_is_too_long_or_too_strange():
    tagger = Tagger.default()
    assert tagger.tag([]) == [] and tagger.tag([[]]) == [""]
    assert len(tagger.tag([["no", "dog"] * 3000])[0]) == 6000
    assert len(tagger.tag([["no", "x" * 10_000, "", "\ud800", "\x00"]])[0]) == 5


def test_a_tagger_is_read_from_the_bytes_that_a_model_carries():
    carried = torch.frombuffer(bytearray(Tagger.default_bytes()), dtype=torch.uint8)
    words = words_of("A table with no chairs, and a lamp")
    assert Tagger.from_bytes(carried).tag([words]) == Tagger.default().tag([words])


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, Tagger.default_bytes()[:5000]])
def test_bytes_that_are_no_tagger_are_refused_in_a_sentence(content):
    with pytest.raises(ValueError, match="are not a tagger's weights"):
        Tagger.from_bytes(content)


def test_the_reader_is_a_model_of_transformers_with_the_same_pieces_and_scores(tmp_path):
    write_reader(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    model, report = AutoModelForTokenClassification.from_pretrained(
        tmp_path, trust_remote_code=True, output_loading_info=True
    )
    assert not any(report.values())
    tagger = Tagger.default()
    for text in (
        "A man who doesn't wear a red hat.",
        "Café t-shirt, no 737-200 w/o wihtout",
        "it isn't ; can't cannot",
    ):
        ids, _ = tagger.pieces(words_of(text))
        encoded = tokenizer(text, return_tensors="pt")
        assert encoded["input_ids"][0].tolist() == ids
        with torch.inference_mode():
            torch.testing.assert_close(model(**encoded).logits, tagger.network(encoded["input_ids"]))
    reader = pipeline("token-classification", str(tmp_path), trust_remote_code=True, aggregation_strategy="simple")
    assert [(found["entity_group"], found["word"]) for found in reader("a man without a red hat")] == [
        ("affirmed", "a man"),
        ("cue", "without"),
        ("dropped", "a"),
        ("denied", "red hat"),
    ]
