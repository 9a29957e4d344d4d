import threading
import time

import pytest

from notclip.space.diagnosis import Diagnosis, Progress
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
