"""Tables as spreadsheets, databases and scripts write them, and what is wrong with single rows of them."""

import gzip
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from notclip.command_line import main
from notclip.errors import BadInputError
from notclip.files.tables import clean_caption, read_csv
from notclip.recaption.sources.language import foreign_language
from notclip.recaption.sources.opening import list_parts


def photo(number: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), (number, 0, 90)).save(buffer, "PNG")
    return buffer.getvalue()


def table(folder: Path, content: str | bytes, name: str = "table.csv") -> Path:
    (folder / "photos").mkdir(parents=True, exist_ok=True)
    for number in range(12):
        (folder / "photos" / f"{number}.png").write_bytes(photo(number))
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder / name


def captions_of(source) -> dict[str | None, tuple[str, ...]]:
    return {image.location: image.captions for image in source.images.values()}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
def test_any_delimiter_line_end_and_encoding(tmp_path: Path, delimiter: str, end: str, encoding: str):
    lines = [delimiter.join(("Image Path", "CAPTION")), delimiter.join(("photos/0.png", "A café; it is “open”"))]
    text = end.join(lines).replace("; it is “open”", " in Zürich" if encoding == "latin-1" else " – Zürich") + end
    (row,) = read_csv(table(tmp_path, text.encode(encoding)))
    said = "A café in Zürich" if encoding == "latin-1" else "A café – Zürich"
    assert row.cells == {"Image Path": "photos/0.png", "CAPTION": said}


def test_a_packed_table_is_unpacked_as_it_is_read_and_one_cut_off_is_named(tmp_path: Path, read_source):
    packed = gzip.compress(b"path,caption\nphotos/0.png,A dog.\n")
    assert captions_of(read_source(table(tmp_path, packed, "a.csv.gz"))) == {"photos/0.png": ("A dog.",)}
    for broken in (packed[:-12], b"no gzip"):
        with pytest.raises(BadInputError, match=r"a\.csv\.gz .*after line"):
            read_source(table(tmp_path, broken, "a.csv.gz"))


def test_one_broken_row_is_listed_and_the_others_are_read(tmp_path: Path, read_source):
    file = table(tmp_path / "data", "")
    (tmp_path / "data" / "loop.png").symlink_to("loop.png")
    deep = "[" * 5000
    rows = [
        b"photos/0.png,A dog in a caf\xc3\xa9.",
        b"photos/1.png,A broken \xe9 byte.",
        b"photos/2.png,A zero \0 byte.",
        b"photos/3.png,too,many",
        b"photos/4.png",
        b'photos/5.png,"A quote" and more',
        b"loop.png,A link to itself.",
        b"x" * 300 + b".png,A long name.",
        b"y/" * 3000 + b".png,A long path.",
        b"photos/6.png," + deep.encode(),
        b"photos/7.png,NaN",
        b"photos/8.png,A cat.",
    ]
    file.write_bytes(b"path,caption\n" + b"\n".join(rows))
    source = read_source(file)
    assert captions_of(source) == {"photos/0.png": ("A dog in a café.",), "photos/8.png": ("A cat.",)}
    reasons = {entry.row: entry.reason for entry in source.skipped}
    assert {row: next(words for words in WANTED[row] if words in reason) for row, reason in reasons.items()} == {
        row: words[0] for row, words in WANTED.items()
    }
    assert all(len(reason) < 250 for reason in reasons.values())


WANTED = {
    3: ["not UTF-8 text"],
    4: ["a zero byte"],
    5: ["3 cells, but the header names 2 columns; quote cells that hold a comma"],
    6: ["1 cells, but the header names 2"],
    7: ["not valid CSV"],
    8: ["cannot be read"],
    9: ["File name too long"],
    10: ["File name too long"],
    11: ["a list of texts must be written"],
    12: ["no caption that is not empty"],
}


def parquet(folder: Path, columns: dict, **metadata: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    written = pa.table(columns)
    pq.write_table(written.replace_schema_metadata(metadata or None), folder / "train.parquet")
    return folder


def test_broken_rows_of_parquet_are_listed(tmp_path: Path, read_source):
    text = pa.array([b"A dog.", b"A \xff byte.", "A \ud800.".encode("utf-8", "surrogatepass"), b"nul \0", b"A cat."])
    source = read_source(
        parquet(
            tmp_path / "data", {"image": [photo(n) for n in range(5)], "caption": text.cast(pa.string(), safe=False)}
        )
    )
    assert {captions for images in source.splits.values() for captions in (i.captions for i in images)} == {
        ("A dog.",),
        ("A cat.",),
    }
    assert [entry.row for entry in source.skipped] == [1, 2, 3]


def test_an_id_that_is_a_list_is_no_id(tmp_path: Path, read_source):
    columns = {"image": [photo(0), photo(1)], "image_id": [["a", "b"], ["c"]], "caption": ["A dog.", "A cat."]}
    with pytest.raises(BadInputError, match=r"2 were skipped.*`image_id` .*number, got \['a'"):
        read_source(parquet(tmp_path / "data", columns))


@pytest.mark.parametrize("stored", ["{", "[1]", '{"info": 3}', '{"info": {"features": {"objects": 1}}}', "[" * 5000])
def test_a_broken_note_of_datasets_in_parquet_is_no_note(tmp_path: Path, read_source, stored: str):
    columns = {"image": [photo(0)], "caption": ["A dog."], "objects": [[1, 2]]}
    source = read_source(parquet(tmp_path / "data", columns, huggingface=stored))
    assert source.vocabulary is None
    assert [image.captions for image in source.images.values()] == [("A dog.",)]


def test_a_dictionary_of_thirty_million_is_refused_before_it_is_unpacked(tmp_path: Path, read_source):
    dictionary = pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int32()), pa.array([""] * 30_000_000))
    folder = tmp_path / "data"
    folder.mkdir()
    rows = pa.table({"image": [b"x", b"y"], "caption": dictionary})
    pq.write_table(rows, folder / "train.parquet", compression="zstd")
    assert (folder / "train.parquet").stat().st_size < 10_000
    with pytest.raises(BadInputError, match=r"train\.parquet: the column 'caption' unpacks from"):
        read_source(folder)


@pytest.mark.parametrize("keep", [0, 4, 100, -8])
def test_a_parquet_file_that_is_cut_off_is_named(tmp_path: Path, read_source, keep: int):
    file = parquet(tmp_path / "data", {"image": [photo(0)], "caption": ["A dog."]}) / "train.parquet"
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(BadInputError, match=r"train\.parquet is no Parquet"):
        read_source(tmp_path / "data")


def test_a_photo_as_text_in_a_cell_is_not_poured_into_the_message(tmp_path: Path, read_source):
    file = table(tmp_path, f"image,caption\n{'A' * 100_000},A dog.\n")
    with pytest.raises(BadInputError) as refused:
        read_source(file)
    assert len(str(refused.value)) < 400


METADATA = ["age_65", "is_frontal", "fold3", "View Position", "sex", "Width"]


def test_columns_of_zeros_and_ones_that_are_no_findings_need_a_domain(tmp_path: Path):
    header = ",".join(["Image", "Edema", *METADATA, "Notes"])
    file = table(tmp_path, "\n".join([header, *(f"photos/{n}.png,{n % 2}" + ",1,0,1,0,1,0,x" for n in range(12))]))
    (part,) = list_parts(str(file), cache=tmp_path)
    assert part.vocabulary() == ("Edema",)
    assert part.taken_for == {
        "Image": "photo",
        "Edema": "label",
        **dict.fromkeys(METADATA, "nothing: zeros and ones, but not called as a label; --domain can name it"),
        "Notes": "nothing",
    }
    (named,) = list_parts(str(file), cache=tmp_path, labels={"age_65"})
    assert set(named.vocabulary()) == {"Edema", "age_65"}


def test_what_columns_were_taken_for_is_said_before_the_rows_are_read(tmp_path: Path, capsys):
    file = table(tmp_path, "image,caption,age\n" + "".join(f"photos/{n}.png,A dog.,4\n" for n in range(12)))
    main(["build-dataset", "--source", str(file), "--out", str(tmp_path / "out"), "--no-progress"])
    assert (
        "Columns were taken for:\n  nothing: 'age'\n  photo: 'image'\n  caption: 'caption'\n"
        in capsys.readouterr().out
    )


@pytest.mark.parametrize("word", ["nan", "NaN", "None", "N/A", "null", "NULL", "-", "#N/A", "<NA>"])
def test_a_word_for_nothing_is_no_caption(word: str):
    assert clean_caption(word) == ""


@pytest.mark.parametrize("text", ["None of the dogs run.", "A nan bread", "no"])
def test_a_caption_with_such_a_word_is_one(text: str):
    assert clean_caption(text) == text


CAPTIONS = {
    None: [
        "A dog runs over the grass",
        "Two children play with a ball",
        "dog",
        "Kinder Surprise eggs",
        "Man on horse",
    ],
    "German": ["Ein Hund läuft über das Gras", "Zwei Kinder spielen mit einem Ball", "Ein Mann und eine Frau"],
    "French": ["Un chien court dans la prairie", "Deux enfants jouent avec une balle", "Une femme est sur la plage"],
    "Spanish": ["Un perro corre por la hierba", "Dos niños juegan con una pelota", "Una mujer en la playa"],
    "Chinese or Japanese": ["一只狗在草地上奔跑", "两个孩子在玩球", "海滩上的女人"],
    "Cyrillic script": ["Собака бежит по траве", "Двое детей играют с мячом", "Женщина на пляже"],
    "Arabic script": ["كلب يركض على العشب", "طفلان يلعبان بالكرة", "امرأة على الشاطئ"],
}


@pytest.mark.parametrize("language", CAPTIONS)
def test_captions_are_told_from_those_of_another_language(language: str | None):
    assert foreign_language(CAPTIONS[language] * 5) == language


def test_captions_in_another_language_are_refused_at_once_with_what_can_be_done(tmp_path: Path, read_source):
    lines = [f"photos/{n}.png,Ein Hund läuft mit einem Ball über das Gras." for n in range(12)]
    with pytest.raises(BadInputError, match=r"not English, .*German, .*'Ein Hund"):
        read_source(table(tmp_path, "\n".join(["path,caption", *lines])))


def test_a_photo_that_its_folder_lacks_is_sought_nowhere_else_and_a_bare_name_must_be_its_own(
    tmp_path: Path, read_source
):
    file = table(tmp_path / "data", "path,caption\nphotos/99.png,A dog.\n7.png,A cat.\n8.png,A bird.\n")
    for name in ("other/99.png", "other/8.png"):
        (tmp_path / "data" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "data" / name).write_bytes(photo(99))
    source = read_source(file)
    assert captions_of(source) == {"7.png": ("A cat.",)}
    assert [entry.row for entry in source.skipped] == [2, 4]
    assert "may be other/8.png or photos/8.png; name its folder" in source.skipped[1].reason


def test_a_header_that_names_a_column_twice_is_refused(tmp_path: Path, read_source):
    with pytest.raises(BadInputError, match=r"names the column 'caption' twice"):
        read_source(table(tmp_path, "path,caption,Caption\nphotos/0.png,A dog.,A cat.\n"))


def test_tables_beside_that_name_no_photos_are_passed_over(tmp_path: Path, read_source):
    table(tmp_path, "path,caption\nphotos/0.png,A dog.\n", "train.csv")
    (tmp_path / "classes.csv").write_text("id,name\n1,dog\n")
    assert captions_of(read_source(tmp_path)) == {"photos/0.png": ("A dog.",)}


def test_karpathy_rows_without_a_name_are_listed(tmp_path: Path, read_source):
    file = table(tmp_path, "")
    one = {"filename": "0.png", "sentences": [{"raw": "A dog."}, {"raw": None}], "split": "restval"}
    file.with_suffix(".json").write_text(json.dumps({"images": [one, {"sentences": []}, 7]}))
    source = read_source(file.with_suffix(".json"))
    assert captions_of(source) == {"0.png": ("A dog.",)}
    assert len(source.skipped) == 2
