"""The whole way of a caption through an endpoint, against one on 127.0.0.1 that obeys, lies, stalls or dies."""

import json
import time
from random import Random
from types import SimpleNamespace

import fake_llm as fake
import pytest

from notclip.dataset.rows import CaptionRow
from notclip.errors import BadInputError
from notclip.recaption.concepts.lexicon import load_lexicon
from notclip.recaption.english.phrasing import FORMS, TRAIN_FORMS, load_phrasebook
from notclip.recaption.llm import endpoint as llm_endpoint
from notclip.recaption.llm.check import Meaning
from notclip.recaption.llm.endpoint import Endpoint, UnansweredError
from notclip.recaption.llm.phrasing import Rephraser
from notclip.recaption.llm.prompt import parse_answer

LEXICON = load_lexicon()
BOOK = load_phrasebook()
CAPTIONS = [
    f"A {colour} {thing} stands on the grass ."
    for colour in ("red", "blue", "green", "white", "black")
    for thing in ("dog", "horse", "car", "bicycle", "bench", "boat", "chair", "cow")
]


def meanings(count=40):
    rng = Random(0)
    return [
        Meaning(
            BOOK.only(["no", "without", "nt"]).negate_caption(caption, ("umbrella",), LEXICON, rng).text, ("umbrella",)
        )
        for caption in CAPTIONS[:count]
    ]


def rephraser(server, folder, **options):
    wanted = {"timeout": 5.0, "pause": 0.01} | {
        name: options.pop(name) for name in ("timeout", "url") if name in options
    }
    endpoint = Endpoint(wanted.pop("url", server.url if server else ""), "fake/model", **wanted)
    return Rephraser(endpoint, LEXICON, folder, **options)


def test_captions_are_asked_for_in_batches_and_taken_where_they_say_the_same(tmp_path):
    with fake.FakeLlm(lambda number, items: fake.reworded(items)) as server:
        made = rephraser(server, tmp_path, batch=8)
        texts = made.rephrase(meanings(), forms=TRAIN_FORMS)
    assert texts == [fake.reword(meaning.text) for meaning in meanings()]
    assert [len(fake.items_of(request)) for request in server.requests] == [8] * 5
    assert {request["model"] for request in server.requests} == {"fake/model"}
    assert fake.items_of(server.requests[0])[0].keys() == {"caption", "absent"}
    assert made.record() == {
        "captions": 40,
        "accepted": 40,
        "fell_back": 0,
        "rejected_answers": {},
    }


def test_several_requests_are_under_way_at_a_time(tmp_path):
    def slow(number, items):
        time.sleep(0.1)
        return fake.reworded(items)

    with fake.FakeLlm(slow) as server:
        rephraser(server, tmp_path, batch=4, concurrency=5).rephrase(meanings(), forms=TRAIN_FORMS)
    assert 3 <= server.most_under_way <= 5


@pytest.mark.parametrize(
    "garbage",
    [
        "I am sorry, I cannot do that.",
        "",
        "[]",
        "[1, 2, null, {}]",
        '["one caption too many", "", "", "", "", ""]',
        "<html>502</html>",
        '{"captions": 3}',
        "\u0000\ufffd",
        "[" * 5000,
    ],
)
def test_garbage_is_asked_again_and_then_falls_back(tmp_path, garbage):
    with fake.FakeLlm(lambda number, items: garbage) as server:
        made = rephraser(server, tmp_path, batch=5, tries=2)
        assert made.rephrase(meanings(5), forms=TRAIN_FORMS) == [None] * 5
    assert len(server.requests) == 2
    assert made.record()["fell_back"] == 5 and sum(made.record()["rejected_answers"].values()) == 10


def test_an_answer_that_fails_the_check_is_asked_again_alone(tmp_path):
    """At first the model forgets every other absence; asked again it obeys."""

    def forgetful(number, items):
        if number == 0:
            return json.dumps(
                [
                    item["caption"] if place % 2 else "A lie with an umbrella, no joke."
                    for place, item in enumerate(items)
                ]
            )
        return fake.reworded(items)

    with fake.FakeLlm(forgetful) as server:
        made = rephraser(server, tmp_path, batch=8)
        texts = made.rephrase(meanings(8), forms=TRAIN_FORMS)
    wanted = [meaning.text for meaning in meanings(8)]
    assert texts == [text if place % 2 else fake.reword(text) for place, text in enumerate(wanted)]
    assert server.captions[8:] == wanted[::2]
    assert made.record()["rejected_answers"] == {"absence": 4}


def test_a_model_that_never_obeys_leaves_every_caption_to_the_grammar(tmp_path):
    with fake.FakeLlm(lambda number, items: json.dumps(["There is an umbrella." for _ in items])) as server:
        made = rephraser(server, tmp_path, tries=2)
        said = list(made.rephrase_rows(map(row_of, CAPTIONS[:6]), forms=TRAIN_FORMS))
        assert said == list(map(row_of, CAPTIONS[:6]))
    assert made.record()["fell_back"] == 12 and made.record()["rejected_answers"] == {"form": 24}


def row_of(caption):
    book = BOOK.only(["no"])
    phrases = [book.negate_caption(caption, (name,), LEXICON, Random(1)) for name in ("ladder", "kite")]
    return CaptionRow(
        image_id=caption,
        caption=caption,
        negated_captions=[phrase.text for phrase in phrases],
        forms=[phrase.form for phrase in phrases],
        patterns=[phrase.pattern for phrase in phrases],
        absent=["ladder", "kite"],
    )


def test_rows_get_the_texts_of_the_model_with_their_form_of_negation(tmp_path):
    def without(number, items):
        return json.dumps(
            [
                f"{item['caption'].split(' stands')[0]} stands on the grass without a {item['absent'][0]}."
                for item in items
            ]
        )

    simple = list(map(row_of, CAPTIONS[:3]))
    for row in simple:
        animal = row.caption.split(" stands")[0]
        row.negated_captions = [f"{animal} stands on the grass, with no {name} nearby." for name in row.absent]
    with fake.FakeLlm(without) as server:
        rows = list(rephraser(server, tmp_path).rephrase_rows(iter(simple), forms=TRAIN_FORMS))
    assert rows[0].negated_captions == [
        "A red dog stands on the grass without a ladder.",
        "A red dog stands on the grass without a kite.",
    ]
    assert all(row.forms == ["without"] * 2 and row.patterns == ["llm"] * 2 for row in rows)
    assert [row.image_id for row in rows] == CAPTIONS[:3]


def test_a_held_out_form_is_refused_in_training_and_taken_in_the_test_split(tmp_path):
    nowhere = [Meaning("A red dog stands on the grass, with no umbrella nearby.", ("umbrella",))]
    answer = json.dumps(["A red dog stands on the grass, but an umbrella is nowhere to be seen."])
    with fake.FakeLlm(lambda number, items: answer) as server:
        made = rephraser(server, tmp_path)
        assert made.rephrase(nowhere, forms=TRAIN_FORMS) == [None]
        assert "nowhere" in server.requests[0]["messages"][0]["content"]
        assert made.rephrase(nowhere, forms=FORMS) == json.loads(answer)
        assert "nowhere" not in server.requests[-1]["messages"][0]["content"]


def test_what_an_answer_held_before_it_broke_off_is_kept():
    assert parse_answer('Sure! ["A dog.", "A \\"big\\" cat.", "A ca', 3) == ["A dog.", 'A "big" cat.', None]
    assert parse_answer('```json\n["A dog."]\n```', 1) == ["A dog."]


@pytest.mark.parametrize("fault", [fake.cut_off, fake.silent(3.0), fake.dripping(3.0), 500, 429, 503, "not json"])
def test_a_request_that_fails_is_sent_again(tmp_path, fault):
    """Each request fails once: cut inside the body, silent, byte by byte without an end, or refused for now."""

    def unsteady(number, items):
        if number == 0:
            return (lambda handler: fake.send(handler, b"not json")) if fault == "not json" else fault
        return fake.reworded(items)

    with fake.FakeLlm(unsteady) as server:
        # Where silence is the fault a second ends it; elsewhere a busy machine may take its time to answer.
        made = rephraser(server, tmp_path, batch=8, timeout=1.0 if callable(fault) else 60.0)
        texts = made.rephrase(meanings(8), forms=TRAIN_FORMS)
    assert texts == [fake.reword(meaning.text) for meaning in meanings(8)]
    assert len(server.requests) == 2


def test_one_request_that_never_succeeds_falls_back_while_others_go_on(tmp_path):
    def stuck(number, items):
        return 500 if any("red horse" in item["caption"].lower() for item in items) else fake.reworded(items)

    with fake.FakeLlm(stuck) as server:
        made = rephraser(server, tmp_path, batch=4, concurrency=1, tries=1)
        made.rephrase(meanings()[20:24], forms=TRAIN_FORMS)
        texts = made.rephrase(meanings(), forms=TRAIN_FORMS)
    assert texts[:4] == [None] * 4 and None not in texts[4:]


def test_an_endpoint_that_is_not_there_stops_the_build_and_is_named(tmp_path):
    with fake.FakeLlm(lambda number, items: 500) as server:
        url = server.url
    with pytest.raises(BadInputError, match=rf"`llm` {url} does not answer"):
        rephraser(None, tmp_path, url=url).rephrase(meanings(8), forms=TRAIN_FORMS)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_stops_the_build_at_once(tmp_path, status):
    with fake.FakeLlm(lambda number, items: status) as server:
        with pytest.raises(BadInputError, match=f"refuses with status {status}: .*refused by the test.*llm_model"):
            rephraser(server, tmp_path).rephrase(meanings(1), forms=TRAIN_FORMS)
    assert len(server.requests) == 1


def test_what_was_answered_before_the_endpoint_died_is_not_asked_again(tmp_path):
    whole = [fake.reword(meaning.text) for meaning in meanings()]
    with fake.FakeLlm(lambda number, items: fake.reworded(items) if number < 3 else 500) as server:
        with pytest.raises(BadInputError, match="does not answer"):
            rephraser(server, tmp_path, batch=4, concurrency=1).rephrase(meanings(), forms=TRAIN_FORMS)
    with fake.FakeLlm(lambda number, items: fake.reworded(items)) as server:
        made = rephraser(server, tmp_path, batch=4)
        assert made.rephrase(meanings(), forms=TRAIN_FORMS) == whole
        assert len(server.captions) == 40 - 12
        assert made.record()["accepted"] == 40
    with fake.FakeLlm(lambda number, items: 500) as server:
        assert rephraser(server, tmp_path).rephrase(meanings(), forms=TRAIN_FORMS) == whole
    assert server.requests == []


def test_the_key_comes_from_the_environment_and_no_token_of_the_hub_is_sent(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    for name in llm_endpoint.KEY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    with fake.FakeLlm(lambda number, items: fake.reworded(items)) as server:
        rephraser(server, tmp_path).rephrase(meanings(1), forms=TRAIN_FORMS)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        rephraser(server, tmp_path / "other").rephrase(meanings(1), forms=TRAIN_FORMS)
    assert "authorization" not in {name.lower() for name in server.headers[0]}
    assert "hf_secret" not in str(server.headers)
    assert server.headers[1]["Authorization"] == "Bearer sk-test"


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://127.0.0.1/v1", "file:///etc/passwd", "http:///v1"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(BadInputError, match="`llm` must be the http"):
        Endpoint(url, "model")


def test_a_password_in_the_address_is_refused_and_not_repeated():
    with pytest.raises(BadInputError, match="NOTCLIP_LLM_API_KEY") as refusal:
        Endpoint("http://me:secret@127.0.0.1:8000/v1", "model")
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/", "/v1/chat/completions"])
def test_the_address_may_name_the_server_its_version_or_the_very_route(path):
    with fake.FakeLlm(lambda number, items: "hello") as server:
        endpoint = Endpoint(server.url.removesuffix("/v1") + path, "model")
        asked = [{"role": "user", "content": "[]"}]
        assert endpoint.complete(asked, max_tokens=5, seed=0) == "hello"


def test_pauses_double_and_an_answer_of_endless_size_is_given_up(monkeypatch):
    pauses = []
    monkeypatch.setattr(llm_endpoint, "time", SimpleNamespace(sleep=pauses.append, monotonic=time.monotonic))
    with fake.FakeLlm(lambda number, items: "ok" if number == 0 else "x" * 1_100_000) as server:
        endpoint = Endpoint(server.url, "model", tries=4, pause=1.0)
        asked = [{"role": "user", "content": "[]"}]
        endpoint.complete(asked, max_tokens=5, seed=0)
        with pytest.raises(UnansweredError, match="over 1000000 bytes"):
            endpoint.complete(asked, max_tokens=5, seed=0)
    assert pauses == [1.0, 2.0, 4.0]


def test_kept_answers_that_are_no_database_are_named(tmp_path):
    made = rephraser(None, tmp_path, url="http://127.0.0.1:9/v1")
    (file,) = (tmp_path / "llm").iterdir()
    made.store.close()
    file.write_bytes(b"not a database" * 100)
    with pytest.raises(BadInputError, match=r"cannot be read .*remove the file"):
        rephraser(None, tmp_path, url="http://127.0.0.1:9/v1")


@pytest.mark.parametrize("changed", ["prompt", "temperature"])
def test_answers_to_another_prompt_are_not_served(tmp_path, change_code, monkeypatch, changed):
    with fake.FakeLlm(lambda number, items: fake.reworded(items)) as server:
        for requests in (1, 1):
            rephraser(server, tmp_path).rephrase(meanings(8), forms=TRAIN_FORMS)
            assert len(server.requests) == requests
        if changed == "prompt":
            change_code("notclip.recaption.llm.prompt")
        else:
            monkeypatch.setattr("notclip.recaption.llm.phrasing.TEMPERATURE", 0.2)
        rephraser(server, tmp_path).rephrase(meanings(8), forms=TRAIN_FORMS)
        assert len(server.requests) == 2
