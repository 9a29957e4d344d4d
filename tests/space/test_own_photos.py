import io
import struct
import zipfile
import zlib

import pytest
from PIL import Image

from notclip.errors import BadInputError
from notclip.space.own_photos import Upload, open_small, read_uploads


def uploaded(folder, name, content):
    path = folder / name / name
    path.parent.mkdir()
    path.write_bytes(content)
    return Upload(name, path)


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
def test_what_is_no_photo_gets_a_plain_message_and_its_file_goes(name, content, message, tmp_path):
    photos, messages = read_uploads([uploaded(tmp_path, name, content)])
    assert photos == []
    assert messages[0].startswith(message)
    assert list(tmp_path.iterdir()) == []


def test_a_bad_file_does_not_keep_the_good_ones_out(tmp_path):
    good = encoded(Image.new("RGB", (1000, 500), "blue"), format="JPEG")
    photos, messages = read_uploads([uploaded(tmp_path, "a.jpg", b"no"), uploaded(tmp_path, "b.jpg", good)])
    assert [(name, image.size) for name, image in photos] == [("b.jpg", (448, 224))]
    assert len(messages) == 1
    assert list(tmp_path.iterdir()) == []


def test_of_an_animated_gif_the_first_picture_is_used_and_this_is_said(tmp_path):
    (photo,), (message,) = read_uploads([uploaded(tmp_path, "dance.gif", animation())])
    assert photo[1].getpixel((20, 20)) == (255, 0, 0)
    assert message == "dance.gif is animated: only its first picture is used."


def test_too_many_files_add_nothing_and_leave_nothing(tmp_path):
    uploads = [uploaded(tmp_path, f"{number}.jpg", b"x") for number in range(500)]
    with pytest.raises(BadInputError, match="500 files; the limit is 200"):
        read_uploads(uploads)
    assert list(tmp_path.iterdir()) == []


def test_a_photo_is_turned_upright_and_clear_parts_are_white(tmp_path):
    exif = Image.Exif()
    exif[274] = 6  # Lies on its side.
    upload = uploaded(tmp_path, "side.jpg", encoded(Image.new("RGB", (40, 20)), format="JPEG", exif=exif))
    assert open_small(upload.path, name="side.jpg")[0].size == (20, 40)
    clear = uploaded(tmp_path, "clear.png", encoded(Image.new("RGBA", (8, 8), (9, 9, 9, 0)), format="PNG"))
    assert open_small(clear.path, name="clear.png")[0].getpixel((4, 4)) == (255, 255, 255)
