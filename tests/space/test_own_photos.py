import base64
import io
import struct
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image
from pillow_heif import register_heif_opener

from notclip.errors import BadInputError
from notclip.space.engine import Embedded
from notclip.space.own_photos import OwnPhotos, open_small, read_photos


def sent(name, content):
    """As a browser sends a file."""
    return {"name": name, "data": f"data:image/any;base64,{base64.b64encode(content).decode()}"}


def encoded(image, **options):
    stream = io.BytesIO()
    image.save(stream, **options)
    return stream.getvalue()


def header_of_a_png(width, height):
    """A PNG that claims a size and holds a few bytes of pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def zip_bomb():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(50_000_000))
    return stream.getvalue()


def animation():
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "blue", "green")]
    return encoded(frames[0], format="GIF", save_all=True, append_images=frames[1:])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("notes.jpg", b"dear diary", "notes.jpg is not a picture"),
        ("empty.png", b"", "empty.png is not a picture"),
        ("bomb.jpg", zip_bomb(), "bomb.jpg is not a picture"),
        ("huge.png", header_of_a_png(10_000, 10_000), "huge.png: the photo is too large: 10,000 × 10,000 is 100 mega"),
        ("vast.png", header_of_a_png(60_000, 60_000), "vast.png: the photo is too large: 60,000 × 60,000 is 3,600"),
        ("cut.png", header_of_a_png(500, 500), "cut.png is not a picture"),
        ("heavy.jpg", bytes(21 * 2**20), "heavy.jpg: the file has 21 MB; the limit is 20 MB"),
    ],
)
def test_what_is_no_photo_gets_a_plain_message(name, content, message):
    photos, messages = read_photos([sent(name, content)])
    assert photos == []
    assert messages[0].startswith(message)


def test_a_bad_file_does_not_keep_the_good_ones_out():
    good = encoded(Image.new("RGB", (1000, 500), "blue"), format="JPEG")
    photos, messages = read_photos([sent("a.jpg", b"no"), sent("C:\\my photos\\b.jpg", good)])
    assert [(name, image.size) for name, image in photos] == [("b.jpg", (448, 224))]
    assert len(messages) == 1


@pytest.mark.parametrize("form", ["AVIF", "HEIF"])
def test_the_forms_of_phones_are_read(form):
    register_heif_opener()
    (photo,), messages = read_photos([sent("phone", encoded(Image.new("RGB", (96, 64), "blue"), format=form))])
    assert photo[1].size == (96, 64) and messages == []


def test_of_an_animated_gif_the_first_picture_is_used_and_this_is_said():
    (photo,), (message,) = read_photos([sent("dance.gif", animation())])
    assert photo[1].getpixel((20, 20)) == (255, 0, 0)
    assert message == "dance.gif is animated: only its first picture is used."


@pytest.mark.parametrize(
    ("photos", "message"),
    [
        ([sent("x.jpg", b"x")] * 500, "500 files; .*200, .*room for 200"),
        ("x", "list of records"),
        (None, "list of records"),
        ([{"name": "x.jpg", "path": "/etc/passwd"}], "list of records"),
    ],
)
def test_what_the_page_does_not_send_is_refused(photos, message):
    with pytest.raises(BadInputError, match=message):
        read_photos(photos)


def test_a_message_cut_off_on_its_way_is_a_plain_message():
    assert read_photos([{"name": "x.jpg", "data": "data:image/jpeg;base64,abc"}])[1][0].endswith("it arrived in part.")


def test_a_photo_is_turned_upright_and_clear_parts_are_white():
    exif = Image.Exif()
    exif[274] = 6  # Lies on its side.
    side = encoded(Image.new("RGB", (40, 20)), format="JPEG", exif=exif)
    assert open_small(side, name="side.jpg")[0].size == (20, 40)
    clear = encoded(Image.new("RGBA", (8, 8), (9, 9, 9, 0)), format="PNG")
    assert open_small(clear, name="clear.png")[0].getpixel((4, 4)) == (255, 255, 255)


def test_photos_are_added_and_removed():
    def photos(*names):
        vectors = np.arange(len(names), dtype=np.float32)[:, None]
        return OwnPhotos(names, tuple(Image.new("RGB", (1, 1)) for _ in names), Embedded(vectors, vectors))

    together = photos("a", "b").joined(photos("c"))
    assert together.names == ("a", "b", "c")
    left = together.without(0)
    assert left.names == ("b", "c") and left.embedded.base.tolist() == [[1], [0]]
    assert left.without(0).without(0) is None
