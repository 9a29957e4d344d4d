"""The Space as visitors use it, in headless Chromium: `make browser-test`."""

import io
import json
import os
import shutil
import threading
import time

import pytest
from gradio_client import Client
from PIL import Image
from pillow_heif import register_heif_opener

CHROMIUM = shutil.which("chromium")
if not os.environ.get("NOTCLIP_BROWSER_TEST") or CHROMIUM is None:
    pytest.skip("`make browser-test` runs these", allow_module_level=True)
sync_api = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()

GRADIOS: frozenset[str] = frozenset()  # rules that Gradio's own parts break
GRADIOS_PARTS: tuple[str, ...] = ()
CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
PATIENCE = 90_000  # ms; a slow machine is no failure.
MOVING = "document.getAnimations().filter(a => a.effect.pseudoElement?.startsWith('::view-transition')).length"
NAMELESS = """() => [...document.querySelectorAll('button, input, textarea, select, a')]
  .filter(e => e.checkVisibility() && !(e.textContent.trim() || e.ariaLabel || e.labels?.length || e.title
    || e.querySelector('img[alt]') || e.getAttribute('aria-labelledby') || e.type === 'file'))
  .map(e => e.outerHTML.slice(0, 200))"""


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *CAMERA])
        yield chromium
        chromium.close()


class Visit:
    """One visitor's page, and what went wrong on it."""

    def __init__(self, browser, address, *, width, scheme, calm, query):
        self.complaints, self.hosts = [], set()
        context = browser.new_context(
            viewport={"width": width, "height": 844 if width < 600 else 900},
            color_scheme=scheme,
            reduced_motion="reduce" if calm else "no-preference",
            permissions=["camera", "clipboard-read", "clipboard-write"],
        )
        self.page = page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.hosts.add(request.url.split("/")[2].partition(":")[0]))
        page.goto(f"{address}{query}")
        page.wait_for_selector("#results .nc-found[data-view]")

    def go_to(self, tab):
        page = self.page
        if not page.get_by_role("tab", name=tab, exact=True).is_visible():
            page.locator(".overflow-menu > button").first.click()  # Gradio's, for tabs that a phone has no room for.
            page.locator(".overflow-dropdown button", has_text=tab).click()
        else:
            page.get_by_role("tab", name=tab, exact=True).click()

    def search(self, query):
        self.page.get_by_label("Ask for a photo").fill(query)
        self.page.get_by_label("Ask for a photo").press("Enter")
        self.page.wait_for_selector(f".nc-found[data-query={json.dumps(query)}]")

    def view(self, title):
        self.page.locator(".nc-switch label", has_text=title).click()

    def shown(self, side):
        """Photos in the grid of one side, in their order."""
        return self.page.eval_on_selector_all(
            f"#results .nc-{side} li", "items => items.map(item => item.dataset.photo)"
        )

    def add(self, *files):
        self.page.locator("#own-photos input[type=file]").set_input_files(list(files))

    def check(self, where):
        page = self.page
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{where} is {wide} px wider than the screen"
        assert not page.evaluate(
            "[...document.images].filter(i => i.checkVisibility() && !i.alt).map(i => i.outerHTML)"
        )
        assert not page.evaluate(NAMELESS), where
        for _ in range(10):  # Gradio greys what it is about to change, and what is grey is hard to read.
            if not (found := axe_violations(page)):
                break
            page.wait_for_timeout(500)
        assert found == [], where
        if folder := os.environ.get("NOTCLIP_BROWSER_TEST_SHOTS"):
            page.screenshot(path=f"{folder}/{where}.png", full_page=True)


@pytest.fixture
def visit(browser, address):
    visits = []

    def open_page(*, width=1280, scheme="light", calm=True, query=""):
        visits.append(Visit(browser, address, width=width, scheme=scheme, calm=calm, query=query))
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
    made.check(f"search-{name}")
    made.view("Side by side")
    made.check(f"both-{name}")

    made.go_to("Question")
    page.locator("#ask").click()
    page.wait_for_selector("#answers .nc-choice")
    assert page.locator("#answers .nc-true").count() == 1
    made.check(f"question-{name}")

    made.go_to("Quiz")
    page.locator("#quiz-start").click()
    page.locator("#quiz-pick input").first.check()
    page.locator("#quiz-answer").click()
    page.wait_for_selector("#quiz-shown .nc-you")
    assert "Question 1 of 10" in page.locator("#quiz-score").inner_text()
    made.check(f"quiz-{name}")

    for tab, sight in (
        ("Camera", "#camera video"),
        ("Diagnose", "#diagnose-model"),
        ("About", "text=affirmation bias"),
    ):
        made.go_to(tab)
        page.locator(sight).first.wait_for()
        made.check(f"{tab.lower()}-{name}")


def test_the_first_sight_tells_the_story_wrong_hits_fall_out_and_the_number_counts_down(visit):
    made = visit(calm=False)
    page = made.page
    assert page.locator(".nc-found").get_attribute("data-view") == "base"
    wrong = page.locator("#results .nc-base .nc-violates").count()
    assert page.locator("#results .nc-base .nc-badge:visible").count() == wrong >= 6
    assert page.locator(".nc-wrong .nc-big").inner_text() == str(wrong)
    page.evaluate("""() => { window.counted = new Set(); const big = document.querySelector(".nc-wrong .nc-big");
      new MutationObserver(() => counted.add(big.innerText)).observe(big, {childList: true, subtree: true}); }""")
    page.wait_for_selector(".nc-found[data-view=ours]")
    left = page.locator("#results .nc-ours .nc-violates").count()
    assert wrong - left >= 6
    page.wait_for_function(f"document.querySelector('.nc-wrong .nc-big').innerText === '{wrong} → {left}'")
    assert len(page.evaluate("[...counted]")) >= 4


def test_whoever_wants_no_motion_sees_the_end_at_once_and_whoever_chose_a_view_keeps_it(visit):
    made = visit()
    assert made.page.locator(".nc-found").get_attribute("data-view") == "ours"
    assert made.page.evaluate(MOVING) == 0
    moving = visit(calm=False)
    moving.view("Ordinary model")
    moving.search("a lake with no fish")
    moving.page.wait_for_timeout(2500)
    assert moving.page.locator(".nc-found").get_attribute("data-view") == "base"


def test_on_a_phone_the_pictures_are_on_the_first_screen(visit):
    page = visit(width=390).page
    seen = page.locator("#results .nc-ours li").evaluate_all(
        "items => items.filter(item => item.getBoundingClientRect().bottom <= innerHeight).length"
    )
    assert seen >= 8


def test_all_of_the_search_is_reached_by_keyboard_and_focus_is_seen(visit):
    page = visit().page
    reached = []
    for _ in range(24):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("(e => e.textContent.trim() || e.value || e.alt || e.type)(document.activeElement)")
        )
        outline = page.evaluate(
            "(e => getComputedStyle(e.name === 'nc-view' ? e.parentElement : e).outlineWidth)(document.activeElement)"
        )
        assert outline == "3px", reached[-1]
        if page.evaluate("document.activeElement.name") == "nc-view":
            break
    else:
        raise AssertionError(reached)
    page.keyboard.press("ArrowLeft")
    assert page.locator(".nc-found").get_attribute("data-view") == "base"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator("dialog[open] figcaption").inner_text()
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0


def test_the_dial_is_live_by_keyboard_and_mouse_keeps_to_its_range_and_moves_nothing(visit):
    made = visit(query="?q=a+lake+with+no+fish")
    page, dial = made.page, made.page.locator("#strength input[type=range]")
    page.wait_for_selector('.nc-found[data-query="a lake with no fish"]')
    top = page.locator(".nc-ours .nc-grid").bounding_box()["y"]
    before = made.shown("ours")
    dial.focus()
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    page.wait_for_selector('.nc-found[data-dial="0"]')
    assert made.shown("ours") != before and "dial=0" in page.url
    assert page.evaluate("document.activeElement.type") == "range"
    box = dial.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2)
    page.wait_for_selector('.nc-found[data-dial="3"]')
    number = page.locator("#strength input[type=number]")
    for typed, taken in (("99", {"3"}), ("-5", {"0"}), ("", {"0", "1"})):
        number.fill(typed)
        number.press("Tab")
        page.wait_for_function(
            "dials => dials.includes(document.querySelector('.nc-found').dataset.dial)", arg=list(taken)
        )
        assert page.locator("#said [role=alert], .toast-wrap [role=alert]").count() == 0
    assert page.locator(".nc-ours .nc-grid").bounding_box()["y"] == top
    assert page.evaluate("scrollY") == 0


def test_a_bad_query_leaves_the_pictures_as_they_were(visit):
    made = visit()
    before = made.shown("ours")
    made.page.get_by_label("Ask for a photo").fill("not")
    made.page.get_by_label("Ask for a photo").press("Enter")
    made.page.wait_for_selector("#said [role=alert]:text('says only')")
    assert made.shown("ours") == before
    made.search("a dog with no ball")
    assert made.page.locator("#said [role=alert]").count() == 0


def test_a_link_brings_back_what_was_searched_and_how(visit):
    made = visit()
    made.search("a lake with no fish")
    dial = made.page.locator("#strength input[type=number]")
    dial.fill("2")
    dial.press("Tab")
    made.page.wait_for_selector('.nc-found[data-dial="2"]')
    made.page.locator("text=Copy a link to this").click()
    link = made.page.evaluate("navigator.clipboard.readText()")
    again = visit(query=link.partition("7860/")[2] or "?" + link.partition("?")[2])
    again.page.wait_for_selector('.nc-found[data-query="a lake with no fish"][data-dial="2"]')
    assert again.page.get_by_label("Ask for a photo").input_value() == "a lake with no fish"
    assert again.shown("ours") == made.shown("ours")
    odd = visit(query="?q=%3Cimg%20src=x%3E%20no%20cats&dial=nan")
    odd.page.wait_for_selector('#reading del:text("cats")')


def test_a_photo_is_enlarged_ruled_out_and_asked_for_more(visit):
    made = visit(query="?q=a+lake+with+no+fish")
    page = made.page
    page.wait_for_selector('.nc-found[data-query="a lake with no fish"]')
    first = made.shown("ours")[0]
    page.locator(".nc-ours li button").first.click()
    page.locator("dialog[open] >> text=Not like this").click()
    page.wait_for_selector(".nc-refined:text('unlike the one')")
    assert first not in made.shown("ours")
    liked = made.shown("ours")[0]
    page.locator(".nc-ours li button").first.click()
    page.locator("dialog[open] >> text=More like this").click()
    page.wait_for_selector(".nc-refined:text('like the one that you chose')")
    assert made.shown("ours")[0] == liked
    page.locator("text=By words alone").click()
    page.wait_for_selector(".nc-refined", state="detached")
    assert made.shown("ours")[0] == first
    page.locator("text=Show 12 more").click()
    page.wait_for_function("document.querySelectorAll('#results .nc-ours li').length === 24")


def test_a_visitors_own_photos_are_added_marked_and_removed_and_none_is_ever_a_file(visit, uploads):
    made = visit()
    page = made.page
    made.add(
        *(
            picture(name, colour)
            for name, colour in (("red.png", "red"), ("blue.avif", "blue"), ("green.heic", "green"))
        )
    )
    page.wait_for_selector("#own-said :text('3 photos in memory')")
    page.wait_for_selector("#own-said :text('knows drawings alone')")
    assert page.locator("#results .nc-ours img").count() == 3
    made.add({"name": "<b>notes.jpg", "mimeType": "image/jpeg", "buffer": b"dear diary"})
    page.wait_for_selector("#own-said [role=alert]:text('<b>notes.jpg is not a picture')")
    assert page.locator("#results .nc-ours img").count() == 3

    made.search("something with no red")
    page.locator(".nc-ours [data-do=wrong]").first.click()
    assert page.locator(".nc-wrong .nc-big").inner_text() == "1 → 1"
    page.locator(".nc-ours [data-do=open]").first.click()
    page.locator("text=Remove this photo").click()
    page.wait_for_selector("#own-said :text('2 photos in memory')")
    page.locator("text=Back to the photos of this Space").click()
    page.wait_for_function("document.querySelectorAll('#results .nc-ours li').length === 12")
    assert [path for path in uploads.rglob("*") if path.suffix in (".png", ".avif", ".heic", ".jpg")] == []


def test_a_tab_closed_while_its_photos_are_on_their_way_leaves_no_file(visit, uploads):
    made = visit()
    made.add(*(picture(f"{number}.png", "red", side=2000) for number in range(20)))
    made.page.close()
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        assert [path for path in uploads.rglob("*.png") if path.is_file()] == []
        time.sleep(0.1)


def test_two_visitors_see_nothing_of_each_others_photos(visit):
    one, other = visit(), visit()
    one.add(picture("mine.png", "red"))
    one.page.wait_for_selector("#own-said :text('1 photo in memory')")
    other.search("something red")
    assert other.page.locator("#results .nc-ours li").count() == 12
    assert "mine.png" not in other.page.content()


def test_code_in_a_query_and_in_a_caption_is_text(visit):
    made = visit()
    page, code = made.page, "<img src=x onerror='window.hacked=1'> ${7*7} {{7*7}} no cats"
    page.get_by_label("Ask for a photo").fill(code)
    page.get_by_label("Ask for a photo").press("Enter")
    page.wait_for_selector("#reading del:text('cats')")
    assert code.partition(" no cats")[0] in page.locator("#reading .nc-read-text").inner_text()
    made.go_to("Question")
    page.get_by_label("Caption 1").fill(code)
    page.locator("#ask").click()
    page.wait_for_selector("#answers :text('onerror')")
    assert page.evaluate("window.hacked") is None and "49" not in page.locator("#answers").inner_text()


def test_another_question_is_another_and_what_belonged_to_the_last_goes(visit):
    made = visit()
    page = made.page
    made.go_to("Question")
    first = page.get_by_label("Caption 1").input_value()
    page.locator("#ask").click()
    page.wait_for_selector("#answers .nc-choice")
    page.locator("#another").click()
    page.wait_for_function("text => document.querySelector('#caption-1 textarea').value !== text", arg=first)
    assert page.locator("#answers .nc-choice").count() == 0
    page.locator("#question-photo input").set_input_files([picture("mine.png", "red")])
    page.wait_for_function("document.querySelector('#caption-4 textarea').value.includes('neither')")
    page.locator("#ask").click()
    page.wait_for_selector("#answers .nc-choice")
    assert page.locator("#answers .nc-true").count() == 0


def test_the_quiz_asks_one_question_a_view_says_why_and_ends_in_a_sentence(visit):
    made = visit()
    page = made.page
    made.go_to("Quiz")
    page.locator("#quiz-start").click()
    for number in range(1, 11):
        page.wait_for_selector(f"#quiz-score :text('Question {number} of 10')")
        assert page.locator("#quiz-picture img").count() == 1
        page.locator("#quiz-pick input").first.check()
        page.locator("#quiz-answer").click()
        page.wait_for_selector("#quiz-shown .nc-why")
        assert " is true: " in page.locator(".nc-why").inner_text()
        page.locator("#quiz-next").click()
    told = page.locator("#quiz-end h2").inner_text()
    assert told.startswith("I got ") and "NotCLIP" in told
    page.locator("text=Copy this sentence").click()
    assert page.evaluate("navigator.clipboard.readText()") == told


def test_the_camera_is_read_frame_by_frame_until_it_is_stopped(visit, uploads):
    made = visit()
    page = made.page
    made.go_to("Camera")
    page.locator("text=Start the camera").click()
    page.wait_for_selector("#camera .nc-answer .nc-choice")
    assert page.locator("#camera .nc-answer .nc-pick").count() == 2
    page.locator("text=Stop the camera").click()
    assert page.evaluate("document.querySelector('#camera video').srcObject") is None
    assert [path for path in uploads.rglob("*.jp*g") if path.is_file()] == []


def test_stop_says_nothing_where_nothing_runs(visit):
    made = visit()
    made.go_to("Diagnose")
    made.page.locator("#diagnose-stop").click()
    made.page.wait_for_timeout(500)
    assert made.page.locator("#report").inner_text().strip() == ""


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


def axe_violations(page):
    """What axe-core finds that is the Space's own."""
    return [
        (violation["id"], node["html"][:160])
        for violation in axe.run(page, options={"resultTypes": ["violations"]}).response["violations"]
        if violation["id"] not in GRADIOS
        for node in violation["nodes"]
        if not any(part in node["html"] for part in GRADIOS_PARTS)
    ]


def scoring():
    return [thread for thread in threading.enumerate() if thread.name == "notclip diagnosis"]


def picture(name, colour, side=64):
    register_heif_opener()
    stream = io.BytesIO()
    form = {"png": "PNG", "avif": "AVIF", "heic": "HEIF"}[name.rpartition(".")[2]]
    Image.new("RGB", (side, side), colour).save(stream, form)
    return {"name": name, "mimeType": f"image/{form.lower()}", "buffer": stream.getvalue()}
