import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

NEGATED = ("a flower and no butterflies", "a lake with no fish", "a dog and no balls", "a tree and no clouds")


@pytest.fixture
def client(address):
    return Client(address, verbose=False)


def test_a_search_says_what_it_read_and_what_both_models_found(client):
    found = client.predict("a street with no cars", 1.0, api_name="/search")
    assert (found["affirmed"], found["negated"]) == ("a street", ["cars"])
    assert len(found["base"]) == len(found["notclip"]) == 12
    assert all(set(hit["shows_excluded"]) <= {"car"} for hit in found["base"])
    scores = [hit["score"] for hit in found["notclip"]]
    assert scores == sorted(scores, reverse=True)


def test_without_negation_both_models_find_the_same(client):
    found = client.predict("a red boat", 1.0, api_name="/search")
    assert found["base"] == found["notclip"]


def test_the_dial_decides_how_much_of_what_is_excluded_is_found_by_notclip_alone(client):
    shown, base = {}, {}
    for dial in (0, 3):
        answers = [client.predict(query, dial, api_name="/search") for query in NEGATED]
        shown[dial] = sum(bool(hit["shows_excluded"]) for answer in answers for hit in answer["notclip"])
        base[dial] = [answer["base"] for answer in answers]
    assert shown[3] < shown[0]
    assert base[3] == base[0]


def test_the_reader_answers_alone(client):
    answer = client.predict("a dog, but no ball", api_name="/read_query")
    assert answer == {"affirmed": "a dog", "negated": ["ball"], "kind": "hybrid"}


def test_a_question_is_answered_with_shares_that_sum_to_one(client):
    image = client.predict("a red boat", 1.0, api_name="/search")["base"][0]["image_id"]
    answer = client.predict(image, ["a boat", "no boat"], api_name="/answer_question")
    for belief in answer.values():
        assert sum(belief["shares"]) == pytest.approx(1, abs=1e-3)
        assert belief["picks"] in ("a boat", "no boat")


def test_a_diagnosis_is_a_results_file(client):
    choices = client.predict(api_name="/choices")
    content = client.predict(choices["models"][0], choices["suites"][0], api_name="/diagnose")
    assert content["metrics"]["n_images"] == 60
    assert {"accuracy", "recall@5", "violation@5"} <= content["metrics"].keys()
    assert content["provenance"]["composition"] == "scope"


@pytest.mark.parametrize(
    ("endpoint", "arguments", "message"),
    [
        ("/search", ("", 1.0), "The query is empty"),
        ("/search", ("x" * 10_000, 1.0), "the limit is 500"),
        ("/search", ("not", 1.0), "says only"),
        ("/search", ("a dog", 99), "from 0 to 3"),
        ("/answer_question", ("../../etc/passwd", ["a", "b"]), "must be one of 240 drawn scenes"),
        ("/diagnose", ("evil/model", "x"), "'evil/model' is not on the list"),
    ],
)
def test_bad_input_gets_a_plain_message(client, endpoint, arguments, message):
    with pytest.raises(AppError, match=message):
        client.predict(*arguments, api_name=endpoint)
