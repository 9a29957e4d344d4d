import io
from pathlib import Path

import pytest
from PIL import Image

from notclip.errors import BadInputError


def photos(folder: Path, count: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        buffer = io.BytesIO()
        Image.new("RGB", (4, 4), (number, 0, 90)).save(buffer, "PNG")
        (folder / f"{number}.png").write_bytes(buffer.getvalue())


def table(folder: Path, *lines: str, name: str = "table.csv") -> Path:
    photos(folder / "photos", 12)
    (folder / name).write_text("\n".join(lines) + "\n")
    return folder / name


def test_a_csv_of_paths_with_captions_and_splits(tmp_path: Path, read_source):
    lines = [f"photos/{n}.png,A dog number {n}.,{split}" for n, split in enumerate(["train", "val", "test"] * 4)]
    source = read_source(table(tmp_path / "data", "path,caption,split", *lines))
    assert {split: len(images) for split, images in source.splits.items()} == {"train": 4, "validation": 4, "test": 4}
    first = source.images["photos/0.png"]
    assert first.captions == ("A dog number 0.",)
    assert first.location == "photos/0.png"
    assert source.vocabulary is None


def test_a_label_table_in_the_form_of_chexpert(tmp_path: Path, read_source):
    lines = ["Path,Age,No Finding,Edema,Pleural Effusion,Support Devices", "photos/0.png,68,,1,0,1"]
    lines += ["photos/1.png,40,1.0,,,", "photos/2.png,55,,-1,1.0,0"]
    source = read_source(table(tmp_path / "data", *lines, name="train.csv"))
    assert source.vocabulary == ("Edema", "Pleural Effusion", "Support Devices")  # no finding is none, nor is an age
    found = {image.location: (image.labels, image.uncertain, image.unsaid) for image in source.images.values()}
    assert found == {
        "photos/0.png": ({"Edema", "Support Devices"}, frozenset(), frozenset()),
        # What a blank cell does not say is not known, not even beside "No Finding".
        "photos/1.png": (frozenset(), frozenset(), {"Edema", "Pleural Effusion", "Support Devices"}),
        "photos/2.png": ({"Pleural Effusion"}, {"Edema"}, frozenset()),
    }


def test_paths_may_begin_with_the_name_of_the_folder_itself_as_those_of_chexpert_do(tmp_path: Path, read_source):
    lines = ["Path,Edema", *(f"data/photos/{n}.png,{n % 2}" for n in range(12))]
    source = read_source(table(tmp_path / "data", *lines))
    assert len(source.images) == 12
    assert not source.skipped


def test_photos_of_one_patient_get_into_one_split(tmp_path: Path, read_source):
    photos(tmp_path / "data" / "photos", 200)
    lines = ["path,patient_id,Edema", *(f"photos/{n}.png,{n // 10},{n % 2}" for n in range(200))]
    source = read_source(table(tmp_path / "data", *lines))
    assert source.vocabulary == ("Edema",)  # Whatever numbers patients have, they are no label.
    split_of = {image.image_id: split for split, images in source.splits.items() for image in images}
    assert len(split_of) == 200
    assert set(split_of.values()) == {"train", "validation", "test"}
    for patient in range(20):
        assert len({split_of[f"photos/{n}.png"] for n in range(10 * patient, 10 * patient + 10)}) == 1


def test_wrong_labels_and_contradictions_are_skipped_with_file_and_line(tmp_path: Path, read_source):
    lines = ["path,No Finding,Edema", "photos/0.png,0,1", "photos/1.png,1,1", "photos/2.png,0,yes", "photos/3.png,0,0"]
    lines += [f"photos/{n}.png,0,1" for n in range(4, 12)]
    source = read_source(table(tmp_path / "data", *lines))
    assert {(Path(entry.file).name, entry.row): entry.reason for entry in source.skipped} == {
        ("table.csv", 3): "the row has 'No Finding' and 'Edema', which exclude each other",
        ("table.csv", 4): "label 'Edema' must be 1, 0, -1 or empty, got 'yes'",
    }


def test_a_list_in_a_cell_is_parsed_and_code_in_it_is_never_run(tmp_path: Path, read_source):
    trap = tmp_path / "run"
    code = f"[__import__('pathlib').Path({str(trap)!r}).touch()]"
    lines = [
        "path,captions",
        "photos/0.png,\"['A dog.', 'It runs.']\"",
        f'photos/1.png,"{code}"',
        "photos/2.png,A cat.",
    ]
    source = read_source(table(tmp_path / "data", *lines))
    captions = {image.location: image.captions for image in source.images.values()}
    assert captions == {"photos/0.png": ("A dog.", "It runs."), "photos/2.png": ("A cat.",)}
    assert "a list of texts must be written" in source.skipped[0].reason
    assert not trap.exists()


def test_an_empty_path_is_a_missing_photo(tmp_path: Path, read_source):
    source = read_source(table(tmp_path / "data", "path,caption", " ,A dog.", "photos/1.png,A cat."))
    assert [(entry.row, entry.reason) for entry in source.skipped] == [(2, "the photo is missing")]


def test_paths_that_leave_the_folder_are_refused(tmp_path: Path, read_source):
    photos(tmp_path / "secret", 1)
    lines = ["path,caption", "../secret/0.png,A dog.", f"{tmp_path}/secret/0.png,A dog.", "photos/1.png,A cat."]
    source = read_source(table(tmp_path / "data", *lines))
    assert [image.location for image in source.images.values()] == ["photos/1.png"]
    assert all("leaves the folder" in entry.reason for entry in source.skipped)
    assert [entry.row for entry in source.skipped] == [2, 3]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["path,caption", "photos/0.png,A dog, brown."],
            r"table\.csv line 2: 3 cells, but the header",
        ),
        (["path,caption", 'photos/0.png,"A dog'], r"table\.csv after line .*not valid CSV"),
        (["picture,caption", "photos/0.png,A dog."], "no column of photos: .*'picture', 'caption'"),
        (["path,age", "photos/0.png,57"], "neither captions nor labels"),
        (["path,caption"], "has no rows"),
    ],
)
def test_a_malformed_table_is_refused_by_name_and_line(tmp_path: Path, read_source, lines: list[str], message: str):
    with pytest.raises(BadInputError, match=message):
        read_source(table(tmp_path / "data", *lines))
