"""Suites from CSV files: NegBench's as released, and a user's own."""

import csv
import io
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from notclip.errors import BadInputError
from notclip.scoring.suites.read import read_suite
from notclip.scoring.suites.suite import open_suite_photo

SHARED = Path(__file__).parents[3].parent / "shared"
NEGBENCH = SHARED / "data" / "negbench"
MCQ = "image_path,correct_answer,caption_0,caption_1,caption_2,caption_3,correct_answer_template".split(",")


def write_csv(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_photo(path, colour="red"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), colour).save(path)
    return path


def negbench_row(image="data/coco/1.png", template="negative", answer="0"):
    captions = ["No dog is here.", "A dog, but no cat.", "A dog is here.", "No cat is here."]
    return dict(zip(MCQ, [image, answer, *captions, template], strict=True))


def test_negbench_questions_are_read_as_released(tmp_path):
    write_photo(tmp_path / "photos" / "data" / "coco" / "1.png", "blue")
    file = write_csv(tmp_path / "mcq.csv", [negbench_row(), negbench_row(template="positive")])
    suite = read_suite(file, images=tmp_path / "photos")
    assert [question.answer for question in suite.questions] == [0, 0]
    # The reference's own order of kinds, and the template's name for the true caption.
    assert suite.questions[0].choice_kinds == ("negation", "hybrid", "affirmation", "negation")
    assert suite.questions[1].choice_kinds == ("affirmation", "hybrid", "affirmation", "negation")
    assert suite.questions[0].choices[0] == "No dog is here."
    assert open_suite_photo(suite.photos["data/coco/1.png"]).getpixel((0, 0)) == (0, 0, 255)
    assert list(suite.files) == ["mcq.csv"]


def test_where_the_answer_is_not_always_first_the_captions_themselves_say_their_kinds(tmp_path):
    write_photo(tmp_path / "1.png")
    rows = [negbench_row("1.png", "hybrid", "1"), negbench_row("1.png", "positive", "2")]
    suite = read_suite(write_csv(tmp_path / "mcq.csv", rows))
    assert suite.questions[0].choice_kinds == ("negation", "hybrid", "affirmation", "negation")
    assert [question.kind for question in suite.questions] == ["hybrid", "affirmation"]


def test_two_choices_without_a_template_make_a_binary_question(tmp_path):
    write_photo(tmp_path / "1.png")
    rows = [{"image_path": "1.png", "correct_answer": 1, "caption_0": "Pneumonia.", "caption_1": "No pneumonia."}]
    (question,) = read_suite(write_csv(tmp_path / "chexpert.csv", rows)).questions
    assert (question.choice_kinds, question.kind) == (("affirmation", "negation"), "negation")


def test_photos_are_found_by_path_and_otherwise_by_file_name(tmp_path):
    write_photo(tmp_path / "val2017" / "deep" / "1.png")
    rows = [negbench_row("/data/cluster/coco/1.png"), negbench_row("somewhere/else/1.png")]
    suite = read_suite(write_csv(tmp_path / "mcq.csv", rows), images=tmp_path / "val2017")
    assert {photo.path for photo in suite.photos.values()} == {tmp_path / "val2017" / "deep" / "1.png"}


def test_a_file_name_that_fits_two_photos_is_refused(tmp_path):
    write_photo(tmp_path / "a" / "1.png")
    write_photo(tmp_path / "b" / "1.png")
    file = write_csv(tmp_path / "mcq.csv", [negbench_row("c/1.png")])
    with pytest.raises(BadInputError, match=r"mcq.csv, row 1: .* fits several photos"):
        read_suite(file)


@pytest.mark.parametrize("name", ["../secret.png", "photos/../../secret.png", "..\\secret.png"])
def test_a_path_that_leaves_the_folder_is_refused(tmp_path, name):
    write_photo(tmp_path / "secret.png")
    (tmp_path / "photos").mkdir()
    file = write_csv(tmp_path / "mcq.csv", [negbench_row(name)])
    with pytest.raises(BadInputError, match="row 1: the photo's path must stay inside"):
        read_suite(file, images=tmp_path / "photos")


def test_a_missing_photo_stops_or_is_skipped_and_listed(tmp_path):
    write_photo(tmp_path / "1.png")
    rows = [negbench_row("1.png"), negbench_row("2.png"), negbench_row("2.png")]
    file = write_csv(tmp_path / "mcq.csv", rows)
    with pytest.raises(BadInputError, match=r"mcq.csv, row 2: there is no photo '2.png'"):
        read_suite(file)
    suite = read_suite(file, skip_missing=True)
    assert len(suite.questions) == 1
    (line,) = suite.skipped
    assert "mcq.csv, row 2" in line
    with pytest.raises(BadInputError, match=r"no question .*no query; 1 .*'2\.png'"):
        read_suite(write_csv(file, rows[1:]), skip_missing=True)


def test_a_users_own_questions_need_three_columns(tmp_path):
    write_photo(tmp_path / "street.png")
    rows = [
        {
            "image": "street.png",
            "correct": "a street without cars",
            "wrong_1": "a street with cars",
            "wrong_2": "cars",
        },
        {"image": "street.png", "correct": "a street", "wrong_1": "no street", "wrong_2": ""},
    ]
    suite = read_suite(write_csv(tmp_path / "own.csv", rows))
    first, second = suite.questions
    assert (first.choices[first.answer], first.kind, len(first.choices)) == ("a street without cars", "hybrid", 3)
    assert second.choice_kinds == ("affirmation", "negation")


def retrieval_row(image, captions, positive, negative):
    return {
        "positive_objects": str(positive),
        "negative_objects": str(negative),
        "filepath": f"data/{image}",
        "image_id": image,
        "captions": str(captions),
    }


def test_negbench_retrieval_knows_which_images_show_what_a_query_excludes(tmp_path):
    for name in ("1.png", "2.png", "3.png"):
        write_photo(tmp_path / name)
    rows = [
        retrieval_row("1.png", ["A street with no dog.", "A street without any cat."], ["street"], ["dog", "cat"]),
        retrieval_row("2.png", ["A dog, but no street in sight."], ["dog"], ["street"]),
        retrieval_row("3.png", ["A dog and a cat, no bus."], ["dog", "cat"], ["bus"]),
    ]
    suite = read_suite(write_csv(tmp_path / "retrieval.csv", rows))
    assert suite.gallery == ["data/1.png", "data/2.png", "data/3.png"]
    assert not suite.ordinary_queries
    assert [set(query.excluded) for query in suite.negated_queries] == [
        {"data/2.png", "data/3.png"},
        {"data/3.png"},
        {"data/1.png"},
        set(),
    ]


def test_a_folder_of_negbench_files_makes_one_suite(tmp_path):
    write_photo(tmp_path / "1.png")
    write_photo(tmp_path / "2.png")
    write_csv(tmp_path / "mcq.csv", [negbench_row("data/1.png")])
    write_csv(tmp_path / "plain.csv", [retrieval_row("1.png", ["A street.", "A wide street."], ["street"], ["dog"])])
    write_csv(tmp_path / "negated.csv", [retrieval_row("2.png", ["A street, but no dog."], ["street"], ["dog"])])
    suite = read_suite(tmp_path)
    counts = len(suite.questions), len(suite.negated_queries), len(suite.ordinary_queries)
    assert counts == (1, 1, 2)
    assert set(suite.gallery) == set(suite.photos) == {"data/1.png", "data/2.png"}
    assert set(suite.files) == {"mcq.csv", "plain.csv", "negated.csv"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"correct_answer": "4"}, "row 1: `correct_answer` .*from 0 to 3, got '4'"),
        ({"correct_answer": "first"}, "row 1: `correct_answer` .* got 'first'"),
        ({"caption_2": " "}, "row 1: `caption_2` must not be empty"),
        ({"image_path": ""}, "row 1: `image_path` must not be empty"),
        ({"image_path": "film.mp4"}, "row 1: .*frames .*'film.mp4'"),
        (
            {"correct_answer_template": "sarcastic"},
            "row 1: `correct_answer_template` .*of .* got 'sarcastic'",
        ),
    ],
)
def test_a_bad_row_is_named_with_its_rule_and_value(tmp_path, change, message):
    write_photo(tmp_path / "1.png")
    file = write_csv(tmp_path / "mcq.csv", [negbench_row("1.png") | change])
    with pytest.raises(BadInputError, match=message):
        read_suite(file)


@pytest.mark.parametrize("cell", ["__import__('os').abort()", "[1, 2]", "'text'", "['']", "[", "[" * 5000])
def test_lists_are_read_as_literals_and_never_evaluated(tmp_path, cell):
    write_photo(tmp_path / "1.png")
    file = write_csv(tmp_path / "retrieval.csv", [retrieval_row("1.png", [], [], []) | {"captions": cell}])
    with pytest.raises(BadInputError, match=r"row 1: `captions` .*list of strings"):
        read_suite(file)


def test_what_is_no_suite_is_refused(tmp_path):
    with pytest.raises(BadInputError, match="`suite` must be a CSV or YAML file"):
        read_suite(tmp_path / "nothing.csv")
    with pytest.raises(BadInputError, match="must hold CSV files"):
        read_suite(tmp_path)
    with pytest.raises(BadInputError, match=r"the columns must be .* got colour"):
        read_suite(write_csv(tmp_path / "colours.csv", [{"colour": "red"}]))
    (tmp_path / "empty.csv").write_text("image,correct,wrong_1\n")
    with pytest.raises(BadInputError, match="at least one row"):
        read_suite(tmp_path / "empty.csv")
    (tmp_path / "photo.csv").write_bytes(b"\xff\xd8\xff\xe0\x00")
    with pytest.raises(BadInputError, match="not CSV in UTF-8"):
        read_suite(tmp_path / "photo.csv")
    (tmp_path / "wide.csv").write_text("image,correct,wrong_1\na.png,b,c,d\n")
    with pytest.raises(BadInputError, match=r"row 1: 4 cells, .*names 3"):
        read_suite(tmp_path / "wide.csv")


def test_a_correct_caption_among_the_wrong_ones_is_refused(tmp_path):
    write_photo(tmp_path / "1.png")
    rows = [{"image": "1.png", "correct": "a dog", "wrong_1": "a dog"}]
    with pytest.raises(BadInputError, match=r"row 1: .*'a dog'"):
        read_suite(write_csv(tmp_path / "own.csv", rows))


def test_the_form_of_negation_is_read_from_the_true_caption(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "1.png")
    for correct, form in (("a park without a dog", "without"), ("a dog", "affirmed"), ("there isn't a dog", "nt")):
        rows = [{"image": "1.png", "correct": correct, "wrong_1": "a cat"}]
        assert read_suite(write_csv(tmp_path / "own.csv", rows)).questions[0].form == form
    (question,) = read_suite(write_csv(tmp_path / "own.csv", [negbench_row("1.png")])).questions
    assert question.form is not None


def test_a_spreadsheets_semicolons_divide_as_commas_do(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "1.png")
    (tmp_path / "own.csv").write_text("image;correct;wrong_1\n1.png;a dog, no ball;a ball\n")
    (question,) = read_suite(tmp_path / "own.csv").questions
    assert question.choices == ("a dog, no ball", "a ball")


def test_corrupt_photos_are_named_with_their_row(tmp_path):
    whole = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(whole, "JPEG")
    (tmp_path / "cut.jpg").write_bytes(whole.getvalue()[:300])
    (tmp_path / "text.jpg").write_text("no photo")
    rows = [negbench_row("cut.jpg"), negbench_row("text.jpg")]
    suite = read_suite(write_csv(tmp_path / "mcq.csv", rows))
    for name, row, why in (("cut.jpg", 1, "Truncated File Read"), ("text.jpg", 2, "it is no image of a form")):
        with pytest.raises(BadInputError, match=f"mcq.csv, row {row}: .*{why}"):
            open_suite_photo(suite.photos[name])


def test_a_limit_keeps_the_first_images_and_what_is_asked_about_them(tmp_path):
    for number in range(4):
        write_photo(tmp_path / f"{number}.png")
    rows = [negbench_row(f"{number}.png") for number in (0, 1, 1, 2, 3)]
    suite = read_suite(write_csv(tmp_path / "mcq.csv", rows), limit=2)
    assert list(suite.photos) == ["0.png", "1.png"]
    assert len(suite.questions) == 3
    assert not suite.skipped
    with pytest.raises(BadInputError, match="`limit` must be at least 2"):
        read_suite(tmp_path / "mcq.csv", limit=1)


@pytest.mark.shared
@pytest.mark.skipif(not NEGBENCH.exists(), reason="../shared is absent")
def test_the_released_voc_questions_are_all_read(tmp_path):
    released = NEGBENCH / "VOC2007_mcq_llama3.1_rephrased.csv"
    with released.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        (tmp_path / Path(row["image_path"]).name).touch()
    suite = read_suite(released, images=tmp_path)
    names = {"positive": "affirmation", "negative": "negation", "hybrid": "hybrid"}
    assert len(suite.questions) == len(rows)
    assert Counter(question.kind for question in suite.questions) == Counter(
        names[row["correct_answer_template"]] for row in rows
    )
    assert {question.choice_kinds[1:] for question in suite.questions} == {("hybrid", "affirmation", "negation")}


@pytest.mark.shared
@pytest.mark.skipif(not NEGBENCH.exists(), reason="../shared is absent")
@pytest.mark.parametrize("name", ["msr_vtt_mcq_rephrased_llama.csv", "msr_vtt_retrieval_rephrased_llama.csv"])
def test_the_released_msr_vtt_files_are_read_with_frames_of_their_videos(tmp_path, name):
    with pytest.raises(BadInputError, match=r"row 1: .*frames of the video"):
        read_suite(NEGBENCH / name)
    with (NEGBENCH / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        folder = tmp_path / "frames" / Path(row.get("filepath") or row["image_path"]).stem
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "1.jpg").touch()
    suite = read_suite(NEGBENCH / name, images=tmp_path / "frames")
    assert len(suite.photos) == 1000
    if "mcq" in name:
        assert len(suite.questions) == len(rows)
    else:
        assert len(suite.negated_queries) == len(rows)
        assert len(suite.ordinary_queries) > 10 * len(rows)


def test_four_frames_stand_for_a_video_at_even_distances(tmp_path):
    for number in range(1, 17):
        write_photo(tmp_path / "film" / f"frame{number}.png")
    write_photo(tmp_path / "short" / "1.png")
    rows = [negbench_row("videos/all/film.mp4"), negbench_row("short.mp4")]
    suite = read_suite(write_csv(tmp_path / "mcq.csv", rows))
    names = [frame.path.name for frame in suite.photos["videos/all/film.mp4"].frames]
    assert names == ["frame3.png", "frame7.png", "frame11.png", "frame15.png"]
    assert len(suite.photos["short.mp4"].frames) == 1


def test_pairs_of_a_caption_and_its_negation_are_questions_of_two(tmp_path):
    write_photo(tmp_path / "1.png")
    rows = [{"filepath": "x/1.png", "caption": "a dog and a ball", "negated_caption": "a dog but no ball"}]
    (question,) = read_suite(write_csv(tmp_path / "ccneg.csv", rows)).questions
    assert (question.choices, question.answer) == (("a dog and a ball", "a dog but no ball"), 0)
    assert question.choice_kinds == ("affirmation", "hybrid")
    rows[0]["negated_caption"] = rows[0]["caption"]
    with pytest.raises(BadInputError, match="row 1: `caption` and `negated_caption`"):
        read_suite(write_csv(tmp_path / "ccneg.csv", rows))
