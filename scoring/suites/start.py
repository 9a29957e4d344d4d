"""The start of a user's own suite: examples that run at once, or her photos with blanks for the captions."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from PIL import Image

from notclip.dataset.clips import photos_in
from notclip.errors import BadInputError
from notclip.files.escapes import csv_cell
from notclip.files.whole_files import clear_partials, whole_file, write_whole

# Two pictures of each place that differ in one thing: each caption of a pair is true once.
PICTURES = {
    "street_car.png": ("street", "car"),
    "street_dog.png": ("street", "dog"),
    "beach_dog.png": ("beach", "dog"),
    "beach_ball.png": ("beach", "ball"),
}
_QUESTIONS = (
    ("street_car.png", "a car on a street, but no dog", ("a dog on a street, but no car",), "street, both"),
    ("street_dog.png", "a dog on a street, but no car", ("a car on a street, but no dog",), "street, both"),
    ("beach_dog.png", "there is no ball in this picture", ("there is no dog in this picture",), "beach, absence"),
    ("beach_ball.png", "there is no dog in this picture", ("there is no ball in this picture",), "beach, absence"),
    ("beach_dog.png", "a dog on a beach", ("a ball on a beach", "a beach without a dog"), "beach, presence"),
    ("beach_ball.png", "a ball on a beach", ("a dog on a beach", "a beach without a ball"), "beach, presence"),
)
_QUERIES = (
    ("a street without a car", "street_dog.png", ("street_car.png",)),
    ("a beach, but no dog", "beach_ball.png", ("beach_dog.png",)),
    ("a dog on a street", "street_dog.png", ()),
    ("a dog on a beach", "beach_dog.png", ()),
)
_HEAD = """\
# What your model must know before it goes live: a dozen examples are a start, thirty photos make figures that hold.
#
# Each question shows the model a photo and captions, of which one is true.
#   image    path of the photo, from this folder
#   correct  a caption that is true of it
#   wrong    one or more captions that are false of it, such as the same words with the "no" elsewhere
#   group    optional: questions of one group count as one, right when all of them are
#
# Ask the same captions of two photos, each true of one (a group). Then no model can be right by the words alone.
"""
_QUERIES_HEAD = """
# Optional. Each query searches all photos of this file.
#   text      what somebody types
#   image     the photo that it shall find
#   excluded  photos that show what the query does not want
"""
_README = """\
# A suite of your own

Questions and queries that decide whether a model understands "not" on *your* photos.

1. Put your photos into this folder, or a folder below it.
2. Edit `{file}`: replace the examples by yours. It explains itself.
3. Score a model, and see which answers were wrong:

   ```bash
   notclip score-model --model openai/clip-vit-base-patch32 --suite {folder} --out {folder}/results/clip.json \\
       --report {folder}/results/clip.report
   ```

   In place of `openai/clip-vit-base-patch32` put any dual encoder of transformers, a folder, or Python code of yours
   (`my_model.py:score`).
4. Set a gate: the command exits with status 1, and writes `clip.junit.xml`, when a figure misses its limit.

   ```bash
   notclip score-model --model openai/clip-vit-base-patch32 --suite {folder} --out {folder}/results/clip.json \\
       --require "macro_accuracy>=0.7" --require "vision_gain>=0.3"
   ```

The gate looks at the worse end of the 95 % confidence interval. With {examples} examples that end is far below the
figure: a dozen right answers of a dozen prove 76 %, not 100 %. More photos prove more.
"""


def start_suite(
    folder: Path, *, draw: Callable[[str, str], Image.Image], form: Literal["yaml", "csv"] = "yaml"
) -> list[Path]:
    """Write a suite to fill in.

    Args:
        folder: its folder; photos in it become examples with blanks, and drawn ones stand in where there are none.
        draw: makes the picture of a place that shows one thing, and nothing else.
        form: what holds the examples; YAML has room for queries and comments.

    Returns:
        The files that were written, in the order in which to look at them.

    Raises:
        BadInputError: the folder holds a suite, or cannot be written to.
    """
    if folder.exists() and not folder.is_dir():
        raise BadInputError(f"`folder` must be a folder, got {folder}, which is a file.")
    file = folder / f"suite.{form}"
    # Pictures that were drawn here by a command that was killed are no photos of the user's.
    drawn = {folder / "photos" / name for name in PICTURES}
    try:
        for place in (folder, folder / "photos"):
            clear_partials(place)
        suites = [path for path in folder.glob("*") if path.suffix in (".csv", ".yaml", ".yml")]
        if suites:
            raise BadInputError(f"`folder` {folder} holds {suites[0].name}: edit it, or name another folder.")
        own = [photo for photo in photos_in(folder) if photo not in drawn] if folder.is_dir() else []
        folder.mkdir(parents=True, exist_ok=True)
        written = [] if own else _draw_pictures(folder / "photos", draw)
        # A spreadsheet would run a name such as =1+1.png as a formula; the same file by another path is none.
        names = [photo.relative_to(folder).as_posix() for photo in own]
        names = [name if csv_cell(name) == name else f"./{name}" for name in names]
        readme = folder / "README.md"
        if not readme.exists():
            examples = len(own) or len(_QUESTIONS)
            write_whole(readme, _README.format(file=file.name, folder=folder, examples=examples))
            written.insert(0, readme)
        write_whole(file, (_yaml if form == "yaml" else _csv)(names))  # Last: where it stands, all of it is there.
    except OSError as error:
        raise BadInputError(f"`folder` {folder} cannot be read and written to: {error.strerror}.") from error
    return [file, *written]


def _draw_pictures(folder: Path, draw: Callable[[str, str], Image.Image]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, (setting, thing) in PICTURES.items():
        with whole_file(folder / name) as partial:
            draw(setting, thing).save(partial)
        files.append(folder / name)
    return files


def _yaml(own: list[str]) -> str:
    """Written by hand for its comments; JSON strings are YAML strings."""
    lines = [_HEAD, "questions:"]
    if own:
        for name in own:
            lines += [f"  - image: {json.dumps(name, ensure_ascii=False)}", '    correct: ""', '    wrong: [""]']
        return "\n".join([*lines, _QUERIES_HEAD.rstrip("\n"), "queries: []", ""])
    for image, correct, wrong, group in _QUESTIONS:
        lines += [f"  - image: photos/{image}", f"    correct: {json.dumps(correct)}", "    wrong:"]
        lines += [f"      - {json.dumps(text)}" for text in wrong]
        lines += [f"    group: {json.dumps(group)}"]
    lines += [_QUERIES_HEAD.rstrip("\n"), "queries:"]
    for text, image, excluded in _QUERIES:
        lines += [f"  - text: {json.dumps(text)}", f"    image: photos/{image}"]
        lines += [f"    excluded: [{', '.join(f'photos/{name}' for name in excluded)}]"] if excluded else []
    return "\n".join([*lines, ""])


def _csv(own: list[str]) -> str:
    import csv
    import io

    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["image", "correct", "wrong_1", "wrong_2", "group"])
    for name in own:
        writer.writerow([name, "", "", "", ""])
    for image, correct, wrong, group in () if own else _QUESTIONS:
        writer.writerow([f"photos/{image}", correct, *wrong, *[""] * (2 - len(wrong)), group])
    return buffer.getvalue()
