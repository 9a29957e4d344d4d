import threading
import time

import pytest

from notclip.space.diagnose_tab import report_html
from notclip.space.diagnosis import Diagnosis, Progress, Waiting
from notclip.space.engine import Engine
from notclip.space.settings import read_settings


@pytest.fixture(scope="module")
def diagnosis(tmp_path_factory):
    settings = read_settings(
        tmp_path_factory.mktemp("here"), {"NOTCLIP_SPACE_CACHE": str(tmp_path_factory.mktemp("c"))}
    )
    return Diagnosis(Engine.load(settings), settings)


def test_a_run_says_how_far_it_is_and_never_goes_back(diagnosis):
    *steps, content = diagnosis.run(diagnosis.models[1], diagnosis.suites[0])
    shares = [step.share for step in steps]
    assert shares == sorted(shares) and 0 <= shares[0] and shares[-1] <= 1
    assert content["provenance"]["composition"] == "none"


def test_a_run_that_nobody_waits_for_stops(diagnosis):
    before = threading.active_count()
    run = diagnosis.run(diagnosis.models[0], diagnosis.suites[-1])
    assert isinstance(next(run), Progress) and isinstance(next(run), Progress)
    run.close()
    deadline = time.monotonic() + 100
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threading.active_count() == before


def test_who_comes_second_waits_in_line_and_is_told_so(diagnosis):
    first = diagnosis.run(diagnosis.models[0], diagnosis.suites[0])
    second = diagnosis.run(diagnosis.models[0], diagnosis.suites[0])
    assert isinstance(next(first), Progress)
    assert next(second) == Waiting(1)
    first.close()
    assert isinstance(next(second), Progress)
    second.close()
    third = diagnosis.run(diagnosis.models[0], diagnosis.suites[0])
    assert isinstance(next(third), Progress)
    third.close()


def test_the_report_begins_with_one_sentence_about_both_models(diagnosis):
    contents = []
    for model in diagnosis.models[:2]:
        *_, content = diagnosis.run(model, diagnosis.suites[0])
        contents.append(content)
    ours, base = (100 * content["metrics"]["accuracy_by_kind"]["negation"] for content in contents)
    html = report_html(contents, ["NotCLIP", "Ordinary model"])
    assert f"NotCLIP is right {ours:.0f} % of the time, Ordinary model {base:.0f} %.</h3>" in html
    assert html.count("download=") == 2
