"""What the page opens with is chosen from the photos in use, and its counts are those of labels or captions."""

import pytest

from notclip.recaption.drawn_world.samples import make_sample
from notclip.space.engine import TOP, Engine
from notclip.space.gallery import Thumbnails
from notclip.space.opening import choose_opening
from notclip.space.page import headline
from notclip.space.photo_set import read_photo_set
from notclip.space.search import Ask, SearchPage
from notclip.space.settings import read_settings


@pytest.fixture(scope="module")
def engine_of(tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")

    def load(photos=None):
        read_photo_set.cache_clear()
        variables = {"NOTCLIP_SPACE_CACHE": str(cache)} | ({"NOTCLIP_SPACE_PHOTOS": str(photos)} if photos else {})
        return Engine.load(read_settings(cache, variables))

    return load


@pytest.fixture(scope="module")
def drawn(engine_of):
    return engine_of()


@pytest.fixture(scope="module")
def captioned(engine_of, tmp_path_factory):
    """Drawn scenes as people keep photos: a text file with captions beside each, and no labels."""
    folder = tmp_path_factory.mktemp("album")
    for index in range(160):
        sample = make_sample(3, "test", index)
        sample.picture(96).save(folder / f"{index}.png")
        (folder / f"{index}.txt").write_text("\n".join(sample.captions), encoding="utf-8")
    return engine_of(folder)


def page_of(engine):
    return SearchPage(engine, ("base", "ours"), Thumbnails(engine.photos))


def test_the_drawn_world_opens_on_a_query_on_which_both_find_what_is_asked_and_differ_in_what_is_excluded(drawn):
    opening = choose_opening(drawn)
    found = page_of(drawn).search(opening.queries[0])
    assert min(found["show_asked"].values()) >= 10
    assert found["show_excluded"]["base"] - found["show_excluded"]["notclip"] >= 6
    assert opening.queries[0] in headline(opening) and opening.first.excluded in headline(opening)


def test_an_album_with_captions_opens_on_its_own_photos_and_says_that_captions_tell(captioned):
    assert captioned.photos.known_by == "captions"
    opening = choose_opening(captioned)
    page = page_of(captioned)
    found = page.search(opening.queries[0])
    assert found["show_excluded"]["base"] - found["show_excluded"]["notclip"] >= 6
    wrong = found["show_excluded"]["base"]
    assert sum(bool(hit["shows_excluded"]) for hit in found["base"]) == wrong
    html = page.html(Ask(opening.queries[0]), None)
    assert f"of 12 captions mention {opening.first.excluded}" in html and html.count("nc-badge") >= wrong


def test_a_mark_is_what_a_caption_says_of_the_photo(captioned):
    page = page_of(captioned)
    lexicon = captioned.photos.lexicon
    for hit in page.search("a lake with no fish")["base"]:
        captions = (captioned.photos.suite.photos[hit["image_id"]].path).with_suffix(".txt").read_text()
        assert bool(hit["shows_excluded"]) is any("fish" in lexicon.find(line) for line in captions.splitlines())


def test_photos_of_which_nothing_is_known_get_queries_and_no_counts(engine_of, tmp_path):
    for index in range(60):
        make_sample(4, "test", index).picture(96).save(tmp_path / f"{index}.png")
    engine = engine_of(tmp_path)
    opening = choose_opening(engine)
    found = page_of(engine).search(opening.queries[0])
    assert len(opening.queries) >= 1
    assert found["show_excluded"] is None and found["show_asked"] is None
    assert "Tap each photo that shows boats" in page_of(engine).html(Ask("a lake with no boats"), None)


def test_a_difference_that_is_small_is_no_headline(drawn):
    from dataclasses import replace

    opening = choose_opening(drawn)
    small = replace(opening, first=replace(opening.first, wrong=(4, 2)))
    assert headline(small) == "Search photos by what they show, and by what they do not."


def test_more_than_twelve_are_found_the_best_first(drawn):
    found = page_of(drawn).search("a lake with no fish", 1.0, 48)
    assert len(found["notclip"]) == 48
    assert found["notclip"][:TOP] == page_of(drawn).search("a lake with no fish")["notclip"]


def test_a_photo_that_is_ruled_out_goes_and_one_that_is_liked_comes_first(drawn):
    query = "a lake with no fish"
    first = drawn.search(query, 1.0)[1].positions[0]
    page = page_of(drawn)
    unlike = drawn.search_like(
        drawn.embedded, query, strength=1.0, like=None, unlike={first: page.image(first, None)}
    )[1]
    assert first not in unlike.positions[:TOP]
    like = drawn.search_like(drawn.embedded, query, strength=1.0, like=first, unlike={})
    assert like[1].positions[0] == first and like[0].positions[0] == first
    with_fish = sum("fish" in drawn.photos.present[drawn.photos.ids[one]] for one in like[1].positions[:TOP])
    assert with_fish <= 3


def test_tapping_goes_on_from_what_was_asked():
    ask = Ask("a dog", 2.0)
    assert ask.after("more", -1).count == 24
    refined = ask.after("unlike", 5).after("like", 5).after("unlike", 7).after("unlike", 7)
    assert (refined.like, refined.unlike) == (5, (7,))
    assert refined.after("forget", -1) == ask


def test_no_photo_is_shown_but_that_of_the_row_whatever_the_row_says_of_its_place(tmp_path):
    private = tmp_path / "private.png"
    make_sample(3, "test", 0).picture(96).save(private)
    album = tmp_path / "album"
    album.mkdir()
    for index in range(1, 3):
        make_sample(3, "test", index).picture(96).save(album / f"{index}.png")
    places = (str(private), "x/../../private.png")
    rows = [f"{index}.png,a dog,{place}" for index, place in enumerate(places, 1)]
    (album / "captions.csv").write_text("\n".join(["image,caption,url", *rows]))
    read_photo_set.cache_clear()
    shown = read_photo_set(str(album)).suite.photos
    assert len(shown) == 2
    assert {photo.read_bytes() for photo in shown.values()} == {file.read_bytes() for file in album.glob("*.png")}
