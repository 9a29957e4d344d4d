import ast
import asyncio
import base64
import io
import re

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from PIL import Image

NEGATED = ("a flower and no butterflies", "a lake with no fish", "a dog and no balls", "a tree and no clouds")


@pytest.fixture
def client(address):
    return Client(address, verbose=False)


def picture(colour):
    stream = io.BytesIO()
    Image.new("RGB", (96, 96), colour).save(stream, "PNG")
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"


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


def test_pictures_go_in_and_come_out_and_none_of_a_callers_stays(client, uploads):
    answer = client.predict(picture("green"), ["grass", "no grass"], api_name="/answer_question")
    assert answer["base"]["picks"] in ("grass", "no grass")
    image = client.predict("a red boat", 1.0, api_name="/search")["base"][0]["image_id"]
    ranked = client.predict([picture("white"), image], "a red boat", api_name="/rank_pictures")
    assert ranked["base"] == [1, 0]
    before = {path for path in uploads.rglob("*") if path.is_file()}
    shown = client.predict(image, api_name="/picture")
    assert Image.open(shown).size == (128, 128)
    assert all("webp" in path.name for path in {path for path in uploads.rglob("*") if path.is_file()} - before)


def test_agents_find_five_tools_with_their_parameters_described_and_use_them(address):
    mcp = pytest.importorskip("mcp")
    from mcp.client.streamable_http import streamablehttp_client

    async def use():
        async with (
            streamablehttp_client(f"{address}gradio_api/mcp/") as (reading, writing, _),
            mcp.ClientSession(reading, writing) as session,
        ):
            await session.initialize()
            tools = (await session.list_tools()).tools
            found = await session.call_tool("search_photos", {"query": "a lake with no fish", "count": 3})
            wrong = await session.call_tool("search_photos", {"query": ""})
            image = ast.literal_eval(found.content[0].text)["notclip"][0]["image_id"]
            return tools, found, wrong, await session.call_tool("show_picture", {"image_id": image})

    tools, found, wrong, shown = asyncio.run(use())
    names = {"search_photos", "read_query", "answer_question", "rank_pictures", "show_picture"}
    assert {tool.name for tool in tools} == names
    for tool in tools:
        assert tool.description and all(field.get("description") for field in tool.inputSchema["properties"].values())
    assert ast.literal_eval(found.content[0].text)["show_excluded"] == {"base": 3, "notclip": 0}
    assert wrong.isError and "The query is empty" in wrong.content[0].text
    assert shown.content[0].type == "image"


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
        ("/search", (None, 1.0), "text, got None"),
        ("/search", (3, 1.0), "text, got 3"),
        ("/search", ("a dog", 99), "from 0 to 3"),
        ("/search", ("a dog", None), "from 0 to 3, got None"),
        ("/search", ("a dog", 1.0, 0), "from 1 to 48, got 0"),
        ("/answer_question", (None, ["a", "b"]), "got 'None'"),
        ("/answer_question", ("data:image/png;base64,AAAA", ["a", "b"]), "is not a picture"),
        ("/answer_question", ("drawn-0-test-000000", None), "list of 2 to 8 captions"),
        ("/rank_pictures", (None, "a dog"), "list of 2 to 32 pictures"),
        ("/diagnose", (None, None), "'None' .*not on the list"),
        ("/answer_question", ("../../etc/passwd", ["a", "b"]), "of 240 drawn scenes"),
        ("/diagnose", ("evil/model", "x"), "'evil/model' .*not on the list"),
    ],
)
def test_bad_input_gets_a_plain_message(client, endpoint, arguments, message):
    with pytest.raises(AppError, match=message):
        client.predict(*arguments, api_name=endpoint)


def test_a_link_to_the_space_is_shown_with_its_own_title_words_and_picture(address):
    page = httpx.get(address).text
    told = dict(re.findall(r'<meta\s+property="og:(\w+)"\s+content="([^"]*)"', page))
    assert told["title"].startswith("NotCLIP") and "do not show" in told["description"]
    picture = httpx.get(told["image"])
    assert picture.status_code == 200 and picture.headers["content-type"] == "image/png"
