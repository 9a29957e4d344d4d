"""What the columns of tables are called: those of photos, captions and identifiers, and those that hold no finding."""

import re
from collections.abc import Sequence

from notclip.files.tables import column_key

# `title` is open_clip's, `comment` Flickr30k's.
CAPTION_NAMES = (
    "captions", "caption", "sentences", "sentence", "texts", "text", "description", "alt_text", "txt", "raw", "title",
    "comment",
)  # fmt: skip
PATH_NAMES = (
    "image", "path", "image_path", "filepath", "file_name", "filename", "file", "photo", "video", "image_name",
    "image_index", "image_file", "img", "img_path",
)  # fmt: skip
ID_NAMES = ("image_id", "id", "img_id", "imgid", "filename", "file_name", "cocoid", "__key__", "dicom_id")
LOCATION_NAMES = ("url", "image_url", "coco_url", "flickr_url")
# Photos of one patient are alike in more than their findings.
GROUP_NAMES = ("patient", "patient_id", "patientid", "subject_id", "group")
_NUMBERED_CAPTION = re.compile(r"(?:caption|sentence|text)_?\d+")
# Columns of zeros and ones that are called so say something of the photo or its row, and nothing of what it shows.
_NO_FINDING_WORDS = frozenset(
    """
    age ages aged view views position projection frontal lateral pa ap id ids uid index idx fold folds split subset
    val validation test sex gender male female width height size channels year years month months day days date time
    timestamp number num count counts total score weight rank order follow followup patient subject study series visit
    scanner site hospital institution source dataset origin license licence quality valid verified flag is has file
    path url hash sha md bmi x y w h xmin ymin xmax ymax bbox box label labels target class annotator rater unnamed
    """.split()
)


def find_column(header: Sequence[str], names: Sequence[str]) -> str | None:
    """The column that is called by the first of these names that there is, in whichever case and spelling."""
    by_key = {column_key(name): name for name in reversed(header)}
    return next((by_key[name] for name in names if name in by_key), None)


def caption_columns(header: Sequence[str]) -> tuple[str, ...]:
    """The columns of captions: the first that is called so, or all that are numbered."""
    named = find_column(header, CAPTION_NAMES)
    if named is not None:
        return (named,)
    return tuple(name for name in header if _NUMBERED_CAPTION.fullmatch(column_key(name)))


def may_be_label(name: str) -> bool:
    """Whether a column of zeros and ones is called as a finding may be: "Pleural Effusion", but not "age_65".

    >>> may_be_label("Pleural Effusion"), may_be_label("Age Years"), may_be_label("fold3"), may_be_label("is_frontal")
    (True, False, False, False)
    """
    if any(letter.isdigit() for letter in name):
        return False
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)  # ViewPosition
    return _NO_FINDING_WORDS.isdisjoint(re.findall(r"[^\W_]+", spaced.lower()))
