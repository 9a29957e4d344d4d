"""The Space as visitors use it, in headless Chromium: `make browser-test`."""

import io
import os
import shutil
import threading
import time

import pytest
from gradio_client import Client
from PIL import Image

CHROMIUM = shutil.which("chromium")
if not os.environ.get("NOTCLIP_BROWSER_TEST") or CHROMIUM is None:
    pytest.skip("`make browser-test` runs these", allow_module_level=True)
sync_api = pytest.importorskip("playwright.sync_api")

PATIENCE = 90_000  # ms; a slow machine is no failure.
NAMELESS = """() => [...document.querySelectorAll('button, input, textarea, select, a')]
  .filter(e => e.checkVisibility() && !(e.textContent.trim() || e.ariaLabel || e.labels?.length || e.title
    || e.querySelector('img[alt]') || e.getAttribute('aria-labelledby') || e.type === 'file'))
  .map(e => e.outerHTML.slice(0, 200))"""


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


class Visit:
    """One visitor's page, and what went wrong on it."""

    def __init__(self, browser, address, *, width, scheme):
        self.complaints, self.hosts = [], set()
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.page = page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.hosts.add(request.url.split("/")[2].partition(":")[0]))
        page.goto(address)
        page.wait_for_selector("#results .nc-grid img")

    def go_to(self, tab):
        self.page.get_by_role("tab", name=tab, exact=True).click()

    def search(self, query):
        self.page.get_by_label("Ask for a photo").fill(query)
        self.page.get_by_label("Ask for a photo").press("Enter")

    def check(self, where):
        page = self.page
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{where} is {wide} px wider than the screen"
        assert not page.evaluate("[...document.images].filter(i => !i.alt).map(i => i.outerHTML.slice(0, 80))")
        assert not page.evaluate(NAMELESS), where
        if folder := os.environ.get("NOTCLIP_BROWSER_TEST_SHOTS"):
            page.screenshot(path=f"{folder}/{where}.png", full_page=True)


@pytest.fixture
def visit(browser, address):
    visits = []

    def open_page(*, width=1280, scheme="light"):
        visits.append(Visit(browser, address, width=width, scheme=scheme))
        return visits[-1]

    yield open_page
    for made in visits:
        assert made.complaints == []
        assert made.hosts - {"", "127.0.0.1"} == set()
        made.page.context.close()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_every_page_works_and_fits_in_both_themes_on_desk_and_phone(visit, width, scheme):
    made = visit(width=width, scheme=scheme)
    page, name = made.page, f"{width}-{scheme}"
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (dark == "rgb(20, 19, 15)") is (scheme == "dark")

    made.search("a tree and no clouds")
    page.wait_for_selector("del.nc-negated:text('clouds')")
    page.get_by_text("Strength of negation, and your own photos").click()
    page.wait_for_selector("#strength input[type=range]")
    made.check(f"search-{name}")

    made.go_to("Question")
    page.locator("#ask").click()
    page.wait_for_selector("#answers .nc-choice")
    assert page.locator("#answers .nc-true").count() == 1
    page.locator("#quiz-start").click()
    page.locator("#quiz-pick input").first.check()
    page.locator("#quiz-answer").click()
    page.wait_for_selector("#quiz-shown .nc-you")
    assert "Question 1 of 10" in page.locator("#quiz-score").inner_text()
    made.check(f"question-{name}")

    made.go_to("Diagnose")
    page.wait_for_selector("#diagnose-model")
    made.check(f"diagnose-{name}")

    made.go_to("About")
    page.wait_for_selector("text=affirmation bias")
    made.check(f"about-{name}")


def test_the_first_sight_tells_the_story(visit):
    page = visit().page
    marked = [page.locator(f"#results .{side} .nc-violates").count() for side in ("nc-base", "nc-ours")]
    assert marked[0] >= 6 and marked[0] >= marked[1] + 4
    assert page.locator("#results .nc-base .nc-badge").count() == marked[0]
    assert f"{marked[0]} of 12" in page.locator("#results .nc-base .nc-count").inner_text()


def test_all_of_the_search_is_reached_by_keyboard_and_focus_is_seen(visit):
    page = visit().page
    reached = []
    for _ in range(16):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim() || document.activeElement.type"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        assert outline == "3px", reached[-1]
        if reached[-1].startswith("Strength"):
            break
    assert reached[:6] == ["Search", "Question", "Diagnose", "About", "text", "Search"]
    assert sum("with no" in text or "and no" in text for text in reached) == 5


def test_a_visitors_own_photos_are_searched_and_nothing_of_them_stays(visit, uploads):
    page = visit().page
    page.get_by_text("Strength of negation, and your own photos").click()
    files = [
        {"name": f"{colour}.png", "mimeType": "image/png", "buffer": picture(colour)} for colour in ("red", "blue")
    ]
    files.append({"name": "<b>notes.jpg", "mimeType": "image/jpeg", "buffer": b"dear diary"})
    page.locator("#own-photos input[type=file]").set_input_files(files)
    page.wait_for_selector("#own-said :text('2 photos in memory')")
    assert "<b>notes.jpg is not a picture" in page.locator("#own-said [role=alert]").inner_text()
    assert page.locator("#results .nc-ours img").count() == 2
    assert [path for path in uploads.rglob("*") if path.is_file()] == []


def test_code_in_a_query_and_in_a_caption_is_text(visit):
    made = visit()
    page, code = made.page, "<img src=x onerror='window.hacked=1'> ${7*7} {{7*7}} no cats"
    made.search(code)
    page.wait_for_selector("#results del:text('cats')")
    assert code.partition(" no cats")[0] in page.locator("#results .nc-read-text").inner_text()
    made.go_to("Question")
    page.get_by_label("Caption 1").fill(code)
    page.locator("#ask").click()
    page.wait_for_selector("#answers :text('onerror')")
    assert page.evaluate("window.hacked") is None and "49" not in page.locator("#answers").inner_text()


def test_a_tab_closed_in_the_middle_of_a_diagnosis_ends_it_and_others_go_on(visit, address):
    made = visit()
    made.go_to("Diagnose")
    made.page.locator("#diagnose-suite input").click()
    made.page.get_by_role("option", name="All ").click()
    made.page.locator("#diagnose").click()
    made.page.wait_for_selector("#report [role=progressbar]")
    made.page.close()
    found = Client(address, verbose=False).predict("a red boat", 1.0, api_name="/search")
    assert len(found["base"]) == 12
    deadline = time.monotonic() + 300
    while (running := scoring()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not running


def scoring():
    return [thread for thread in threading.enumerate() if thread.name == "notclip diagnosis"]


def picture(colour):
    stream = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(stream, "PNG")
    return stream.getvalue()
