"""Whatever text, numbers or requests come in by a call: an answer within its range, or one sentence."""

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from notclip.errors import BadInputError
from notclip.evaluate_metrics.negated_mcq.negated_mcq import score_questions
from notclip.evaluate_metrics.negated_retrieval.negated_retrieval import score_retrieval
from notclip.loopback_hub.accounts import Account
from notclip.loopback_hub.hub import LoopbackHub
from notclip.loopback_hub.server import serve
from notclip.remote.negation_scope import read_scope

CUES = (
    "no not without n't never neither nor none lacks except instead of - ! but and or , . any a the dog cat Dr. 3"
).split()
SENTENCES = st.lists(st.sampled_from(CUES) | st.text(max_size=6), max_size=30).map(" ".join)


@given(st.text(max_size=300) | SENTENCES)
def test_the_reader(tally, text):
    def act() -> None:
        scope = read_scope(text)
        assert scope == read_scope(text)
        for start, end in scope.spans:
            assert 0 <= start < end <= len(text)
            for first, last in scope.affirmed_spans:
                assert end <= first or last <= start, "a word is both affirmed and denied"

    tally.attempt("read_scope", text, act, allowed=())


@pytest.mark.parametrize(
    "text", ["no " * 20_000, "a" * 100_000, "not (" * 20_000, "- " * 30_000, "neither a nor b, " * 6_000]
)
def test_the_reader_is_linear(tally, text):
    tally.attempt("read_scope, long", text[:40], lambda: read_scope(text), allowed=())


NUMBERS = st.one_of(st.floats(), st.integers(-(10**20), 10**20), st.booleans(), st.none(), st.text(max_size=3))
SCORES = st.lists(st.lists(st.floats(-5, 5), min_size=4, max_size=4), min_size=1, max_size=8)


@given(st.one_of(SCORES, st.lists(st.lists(NUMBERS, max_size=5), max_size=5), NUMBERS), st.data())
def test_negated_mcq(tally, scores, data):
    length = len(scores) if isinstance(scores, list) else 1
    sized = {"min_size": length, "max_size": length}
    answers = data.draw(
        st.lists(st.integers(0, 3), **sized) | st.lists(st.integers(-1, 5), **sized) | st.lists(NUMBERS, max_size=5)
    )
    kinds = data.draw(st.none() | st.lists(st.sampled_from(["affirmation", "negation", "hybrid", "x", 0, 7]), **sized))
    images = data.draw(st.none() | st.lists(st.sampled_from(["a", "b", "c", None, 3]), **sized))

    def act() -> None:
        found = score_questions(
            {"predictions": scores, "references": answers, "kinds": kinds, "image_ids": images}, n_resamples=20
        )
        for name in ("accuracy", "tie_rate", "chance"):
            assert 0 <= found[name] <= 1
        credits = []  # Of a tie among m that holds the answer a share of 1/m.
        for row, answer in zip(scores, answers, strict=True):
            best = [place for place, score in enumerate(row) if np.float64(score) == np.max(np.float64(row))]
            credits.append((int(answer) in best) / len(best))
        assert np.isclose(found["accuracy"], np.mean(credits))
        for low, high in [found["accuracy_confidence_interval"]] if "accuracy_confidence_interval" in found else []:
            assert 0 <= low <= high <= 1

    tally.attempt("negated_mcq", (scores, answers, kinds, images), act, allowed=(ValueError,))


IDS = st.sampled_from(["a", "b", "c", "d", "", None, 3])
LISTS = st.lists(st.lists(IDS, max_size=6), max_size=5)
SEARCHES = st.lists(st.permutations("abcdefghijkl"), min_size=1, max_size=5)


@given(SEARCHES | LISTS, st.data())
def test_negated_retrieval(tally, ranked, data):
    sized = {"min_size": len(ranked), "max_size": len(ranked)}
    letters = st.lists(st.sampled_from("abcdefghijkl"), min_size=1, max_size=3, unique=True)
    relevant = data.draw(st.lists(letters, **sized) | st.lists(st.lists(IDS, max_size=3), **sized) | LISTS)
    excluded = data.draw(st.none() | st.lists(letters, **sized) | st.lists(st.lists(IDS, max_size=3), **sized))

    def act() -> None:
        found = score_retrieval({"predictions": ranked, "references": relevant, "excluded": excluded}, n_resamples=20)
        for k in (1, 5, 10):
            hits = [bool({*map(str, row[:k])} & {*map(str, own)}) for row, own in zip(ranked, relevant, strict=True)]
            assert found[f"recall@{k}"] == np.mean(hits)

    tally.attempt("negated_retrieval", (ranked, relevant, excluded), act, allowed=(ValueError,))


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    hub = LoopbackHub(tmp_path_factory.mktemp("disk"), [Account("ann")])
    with serve(hub):
        headers = {"authorization": f"Bearer {hub.accounts[0].token}"}
        with httpx.Client(base_url=hub.url, headers=headers, timeout=20) as web:
            web.post("/api/repos/create", json={"name": "a", "type": "model"}).raise_for_status()
            yield web


PLACES = st.sampled_from(
    (
        *(
            "/api/repos/create",
            "/api/models/ann/a/preupload/main",
            "/api/models/ann/a/commit/main",
            "/api/validate-yaml",
        ),
        *("/ann/a.git/info/lfs/objects/batch", "/api/models/ann/a/tag/main", "/api/models/ann/a/branch/x"),
        *(
            "/api/models/ann/a/paths-info/main",
            "/api/models/ann/a/tree/main/..%2f..",
            "/ann/a/resolve/main/..%2f..%2fx",
        ),
        *("/api/collections", "/api/models/ann/a", "/lfs/..%2f..%2f..%2fetc%2fpasswd", "/api/repos/delete"),
    )
)
PIECES = st.sampled_from(
    (
        *(
            "{",
            "}",
            "[",
            "]",
            '"key"',
            ":",
            '"header"',
            '"value"',
            '"file"',
            '"path"',
            '"../../x"',
            '"content"',
            '"!"',
            ",",
        ),
        *(
            '"lfsFile"',
            '"oid"',
            '"../../etc/passwd"',
            '"size"',
            "-1",
            "1e400",
            "null",
            "\n",
            '"operation"',
            '"files"',
            "\0",
        ),
        *('{"key": "header", "value": {"summary": "x"}}\n', '{"key": "file", "value": {"path": 3, "content": 4}}\n'),
    )
)


@given(st.sampled_from(["GET", "POST", "PUT", "DELETE"]), PLACES, st.lists(PIECES, max_size=12).map("".join))
def test_the_loopback_hub(tally, hub, method, place, body):
    def act() -> None:
        answer = hub.request(method, place, content=body.encode())
        assert answer.status_code < 500, f"{answer.status_code}: {answer.text[:200]}"
        assert b"root:" not in answer.content

    tally.attempt("loopback Hub", (method, place, body), act, allowed=(BadInputError,))
