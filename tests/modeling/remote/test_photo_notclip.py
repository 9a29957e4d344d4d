"""One photo in every form that people have, opened to the same pixels wherever a photo is opened."""

import io
import os
import random
import socket
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
import torch
from datasets import Image as ImageFeature
from PIL import Image, ImageOps

from notclip.dataset.clips import pack_clip, plain_picture, unpack_clip
from notclip.loading import load_model
from notclip.recaption.drawn_world.encoder_parts import ENCODER_FOLDER
from notclip.recaption.drawn_world.samples import make_sample
from notclip.remote.photo_notclip import (
    KEPT_PIXELS,
    MAX_BYTES,
    PHOTO_SUFFIXES,
    PhotoError,
    open_photo,
    photo_header,
    plain_photo,
    scaled_by_its_range,
)
from notclip.space.own_photos import open_small

TEXTS = ["a dog on the grass", "a street with no cars", "a beach", "a table with a cup but no book"]
TURNED_BACK = {  # how a picture is stored that EXIF's number turns upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def encoded(image, form, **options):
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def the_photo():
    """A drawn scene in grey, from 0 to 255, higher than wide, with a white corner: every mode can hold it."""
    grey = make_sample(0, "test", 3).picture(224).convert("L").crop((0, 0, 200, 224))
    grey = ImageOps.autocontrast(grey)
    grey.paste(255, (0, 0, 40, 40))
    return grey


def exif(turn):
    tags = Image.Exif()
    tags[274] = turn
    return tags


def forms_of_the_photo():
    """Name -> the photo as a file."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    grey = the_photo()
    colour, values = grey.convert("RGB"), np.asarray(grey)
    clear = np.where(values == 255, 0, 255).astype(np.uint8)  # what is white is cut out, above black
    behind = np.where(values == 255, 0, values).astype(np.uint8)
    best = {"quality": 98, "subsampling": 0}
    forms = {
        "PNG": encoded(colour, "PNG"),
        "JPEG": encoded(colour, "JPEG", **best),
        "grey JPEG": encoded(grey, "JPEG", quality=98),
        "CMYK JPEG": encoded(colour.convert("CMYK"), "JPEG", **best),
        "RGBA": encoded(Image.merge("RGBA", [*[Image.fromarray(behind)] * 3, Image.fromarray(clear)]), "PNG"),
        "LA": encoded(Image.merge("LA", [Image.fromarray(behind), Image.fromarray(clear)]), "PNG"),
        "grey with a clear shade": encoded(grey, "PNG", transparency=255),
        "palette": encoded(colour.quantize(256), "PNG"),
        "palette with a clear colour": encoded(
            grey.convert("P", palette=Image.Palette.ADAPTIVE), "GIF", transparency=None
        ),
        "16-bit PNG": encoded(Image.fromarray(values.astype(np.uint16) * 257), "PNG"),
        "12 bits in 16": encoded(Image.fromarray((values * (4095 / 255)).round().astype(np.uint16)), "PNG"),
        "16-bit TIFF": encoded(Image.fromarray(values.astype(np.uint16) * 257), "TIFF"),
        "signed 32-bit TIFF": encoded(Image.fromarray(values.astype(np.int32) * 16 - 1024), "TIFF"),  # Hounsfield
        "float TIFF": encoded(Image.fromarray(values.astype(np.float32) / 255), "TIFF"),
        "16-bit PGM": b"P5 200 224 65535\n" + (values.astype(">u2") * 257).tobytes(),
        "WebP": encoded(colour, "WEBP", lossless=True),
        "animation": encoded(colour, "GIF", save_all=True, append_images=[Image.new("RGB", colour.size, "red")]),
        "AVIF": encoded(colour, "AVIF", quality=95, subsampling="4:4:4"),
        "HEIC": encoded(colour, "HEIF", quality=95, chroma=444),
    }
    for turn, way in TURNED_BACK.items():
        forms[f"turned {turn}"] = encoded(colour.transpose(way), "JPEG", exif=exif(turn), **best)
    stored = colour.transpose(TURNED_BACK[6])
    forms["turned PNG"] = encoded(stored, "PNG", exif=exif(6))
    forms["turned TIFF"] = encoded(stored, "TIFF", exif=exif(6))
    forms["turned WebP"] = encoded(stored, "WEBP", lossless=True, exif=exif(6))
    forms["turned AVIF"] = encoded(stored, "AVIF", quality=95, subsampling="4:4:4", exif=exif(6))
    forms["turned HEIC"] = encoded(stored, "HEIF", quality=95, chroma=444, exif=exif(6).tobytes())
    return forms


@pytest.fixture(scope="module")
def encoder():
    return load_model(str(ENCODER_FOLDER), composition="scope")


@pytest.fixture(scope="module")
def forms():
    return forms_of_the_photo()


def test_the_same_photo_in_any_form_has_the_same_score_in_build_scoring_calls_and_space(encoder, forms, tmp_path):
    expected = encoder.score([the_photo().convert("RGB")], TEXTS)[0]
    feature = ImageFeature()
    for name, content in forms.items():
        file = tmp_path / "photo"
        file.write_bytes(content)
        scored = open_photo(content)
        built = feature.decode_example({"bytes": plain_picture(content), "path": None})
        shown, _ = open_small(content, name=name)
        seen = {
            "file": file,
            "bytes": content,
            "opened by its user": Image.open(file),
            "scored": scored,
            "built, as load_dataset shows it": built,
            "built, without our code": built.convert("RGB"),
            "Space": shown,
        }
        scores = encoder.score(list(seen.values()), TEXTS)
        for way, own in zip(seen, scores, strict=True):
            assert (own - expected).abs().max() < 1e-2, (name, way)
        assert scored.size == built.size == shown.size == (200, 224), name
        assert built.mode in ("RGB", "L", "P"), name


def test_the_processor_sees_what_the_model_sees(encoder, forms, tmp_path):
    expected = encoder.processor(images=the_photo(), return_tensors="pt").pixel_values
    for name in ("16-bit PNG", "RGBA", "turned 6"):
        file = tmp_path / "photo.png"
        file.write_bytes(forms[name])
        for images in (Image.open(file), [file], [str(file)]):
            pixels = encoder.processor(images=images, return_tensors="pt").pixel_values
            assert (pixels - expected).abs().mean() < 0.05, name


def test_an_opened_photo_is_not_turned_again_and_the_users_picture_is_left_as_it_is(forms):
    once = open_photo(forms["turned 6"])
    assert open_photo(once).size == once.size == (200, 224)
    own = Image.open(io.BytesIO(forms["turned 6"]))
    open_photo(own)
    assert own.size == (224, 200)


def test_broken_exif_costs_nobody_the_photo(forms):
    broken = (
        forms["turned 6"].replace(b"Exif\0\0MM\0*", b"Exif\0\0MM\0\xff").replace(b"Exif\0\0II*\0", b"Exif\0\0II\xff\0")
    )
    assert broken != forms["turned 6"]
    assert open_photo(broken).size == (224, 200)


def test_plain_photos_keep_their_bytes_and_others_become_what_every_reader_sees_alike(forms):
    kept = {name for name, content in forms.items() if plain_photo(content) == content}
    assert kept == {"PNG", "JPEG", "grey JPEG", "palette", "palette with a clear colour", "WebP", "animation"}
    assert photo_header(plain_photo(forms["turned 6"])).form == "JPEG"
    assert photo_header(plain_photo(forms["HEIC"])).form == "JPEG"
    again = plain_photo(forms["16-bit PNG"])
    assert photo_header(again).form == "PNG"
    assert plain_photo(again) == again
    assert np.array_equal(np.asarray(open_photo(again)), np.asarray(open_photo(forms["16-bit PNG"])))


def test_a_clip_of_16_bit_pages_is_seen_and_kept_as_8_bits(forms):
    frames = [Image.open(io.BytesIO(forms["16-bit TIFF"])) for _ in range(2)]
    clip = encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    assert np.array_equal(np.asarray(unpack_clip(clip)[1].convert("L")), np.asarray(the_photo()))
    again = plain_picture(clip)
    assert [frame.mode for frame in unpack_clip(again)] == ["RGB", "RGB"]
    assert Image.open(io.BytesIO(again)).mode == "RGB"
    assert plain_picture(again) == again
    assert plain_picture(pack_clip([forms["PNG"]] * 2)) == pack_clip([forms["PNG"]] * 2)


# -- the range of a picture's own values ---------------------------------------------------------------------------


def grey_levels(values):
    return np.asarray(scaled_by_its_range(Image.fromarray(values)))


def test_a_constant_picture_is_black_and_divides_by_nothing():
    for value in (0, 7, 65535):
        assert not grey_levels(np.full((4, 4), value, dtype=np.uint16)).any()
    assert not grey_levels(np.full((4, 4), np.nan, dtype=np.float32)).any()


def test_a_dead_pixel_does_not_flatten_the_rest():
    values = np.tile(np.arange(4096, dtype=np.uint16), (8, 1))
    sound = grey_levels(values).astype(int)
    values[0, 0] = 65535
    assert np.abs(grey_levels(values).astype(int) - sound)[1:].max() <= 1
    assert grey_levels(values)[0, 0] == 255


def test_a_few_marks_on_an_empty_picture_stay():
    values = np.zeros((100, 100), dtype=np.uint16)
    values[0, 0] = 4000
    assert grey_levels(values)[0, 0] == 255


def test_what_is_not_finite_is_black():
    found = grey_levels(np.array([[np.nan, 1.0], [np.inf, 3.0]], dtype=np.float32))
    assert found.tolist() == [[0, 0], [0, 255]]


# -- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["pipe", "device", "socket", "folder", "missing", "NUL", "loop", "long"])
def test_what_is_no_regular_file_is_refused_at_once(kind, tmp_path):
    path = tmp_path / "photo.png"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "socket":
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(path))
        server.close()
    elif kind == "folder":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "NUL":
        path = f"{path}\0"
    elif kind == "long":
        path = tmp_path / ("a" * 3000)
    with pytest.raises(PhotoError, match=r"^the photo '.*' (is no regular file|cannot be read \(.+\))$"):
        open_photo(path)


def png_of(width, height, colour_type=2):
    """A PNG that claims a size and holds no pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def declared(content, width, height, old):
    """The file with another size at every place where it states its own, big- or little-endian."""
    for pattern in (">HH", ">II", "<HH", "<II"):
        for first, second in ((0, 1), (1, 0)):
            was = struct.pack(pattern, old[first], old[second])
            content = content.replace(was, struct.pack(pattern, *(min(x, 65535) for x in (width, height))))
    return content


def bombs():
    small = Image.new("RGB", (200, 224))
    tiff = encoded(small, "TIFF")
    for tag, old in ((256, 200), (257, 224)):
        for kind in (3, 4):
            pattern = struct.pack("<HHI", tag, kind, 1)
            tiff = tiff.replace(pattern + struct.pack("<I", old), struct.pack("<HHII", tag, 4, 1, 2_000_000_000))
    return {
        "PNG": png_of(13_000, 13_000),
        "PNG with transparency": png_of(13_000, 13_000, 6),
        "TIFF": tiff,
        "GIF": encoded(small, "GIF").replace(struct.pack("<HH", 200, 224), struct.pack("<HH", 60_000, 60_000)),
        "BMP": encoded(small, "BMP").replace(struct.pack("<ii", 200, 224), struct.pack("<ii", 90_000, 90_000)),
        "JPEG": encoded(small, "JPEG").replace(struct.pack(">HH", 224, 200), struct.pack(">HH", 60_000, 60_000)),
        "AVIF": encoded(small, "AVIF").replace(struct.pack(">II", 200, 224), struct.pack(">II", 60_000, 60_000)),
        "HEIC": encoded(small, "HEIF").replace(struct.pack(">II", 200, 224), struct.pack(">II", 60_000, 60_000)),
        "PPM": b"P6 60000 60000 255\n" + bytes(100),
    }


def test_a_declared_size_beyond_all_photos_is_refused_before_anything_is_decoded(forms):
    for name, bomb in bombs().items():
        assert len(bomb) < 200_000
        with pytest.raises(
            PhotoError, match=r"^the photo (is too large: .* megapixels, and .* may have|cannot be deco)"
        ):
            open_photo(bomb)
        if name not in ("AVIF", "HEIC"):  # Their libraries have limits of their own.
            with pytest.raises(PhotoError, match="is too large"):
                photo_header(bomb)


def test_a_tiff_whose_tiles_are_larger_than_itself_is_refused():
    pixels = zlib.compress(bytes(64 * 64))
    # width, height, bits, deflate, black is zero, samples, tile's width and height, its place and length
    tags = {256: 64, 257: 64, 258: 8, 259: 8, 262: 1, 277: 1, 322: 60_000, 323: 60_000, 324: 8, 325: len(pixels)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    content = struct.pack("<2sHI", b"II", 42, 8 + len(pixels)) + pixels + directory
    with pytest.raises(PhotoError, match=r"64 × 64 .*60,000 × 60,000"):
        open_photo(content)


def test_formats_that_are_no_photos_are_left_alone():
    for form in ("EPS", "DDS", "ICNS", "PCX", "TGA", "ICO"):
        with pytest.raises(PhotoError, match="image of a form"):
            open_photo(encoded(Image.new("RGB", (32, 32)), form))


def test_a_progressive_jpeg_of_very_many_scans_is_refused():
    photo = encoded(the_photo(), "JPEG", progressive=True)
    assert open_photo(photo).size == (200, 224)
    with pytest.raises(PhotoError, match="may have 100 scans, this has more"):
        open_photo(photo[:-2] + b"\xff\xda\0\0" * 200 + photo[-2:])


def test_a_file_of_more_than_256_mb_is_refused_without_reading_it_all(tmp_path):
    with (tmp_path / "photo.png").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(PhotoError, match="more than 256 MB"):
        open_photo(tmp_path / "photo.png")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_damage_of_any_kind_becomes_one_sentence(forms):
    """Pillow raises OSError, SyntaxError, ValueError, struct.error, EOFError, … as the damage has it."""
    rng = random.Random(0)
    refused = 0
    for content in forms.values():
        for _ in range(40):
            damaged = bytearray(content)
            for _ in range(rng.randint(1, 12)):
                damaged[rng.randrange(min(len(damaged), 600))] = rng.randrange(256)
            damaged = bytes(damaged[: rng.randint(1, len(damaged))])
            try:
                plain_picture(damaged)
            except PhotoError as error:
                refused += 1
                assert str(error).startswith("the photo "), error
                assert "\n" not in str(error) and " at 0x" not in str(error) and len(str(error)) < 320
    assert refused > 300


def test_without_pillow_heif_a_heic_photo_names_what_is_missing(forms, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.delitem(Image.OPEN, "HEIF")
    with pytest.raises(
        PhotoError, match=r"pip install pillow-heif`, or notclip's extra \[build\], \[score\] or \[space"
    ):
        open_photo(forms["HEIC"])


def test_arrays_are_photos_and_what_is_none_is_named():
    colours = np.zeros((4, 6, 3), dtype=np.uint8)
    colours[:, :, 0] = 255
    assert open_photo(colours).getpixel((0, 0)) == (255, 0, 0)
    assert open_photo(np.arange(24, dtype=np.uint16).reshape(4, 6)).getpixel((5, 3)) == (255, 255, 255)
    for wrong in (np.zeros((3, 4, 6), np.uint8), np.zeros((4, 6, 3), np.float32), np.zeros((0, 6, 3), np.uint8)):
        with pytest.raises(PhotoError, match=rf"must be uint8 .* got {wrong.dtype} of shape \({wrong.shape[0]}, "):
            open_photo(wrong)
    for wrong in (None, 3, io.StringIO("photo")):
        with pytest.raises(PhotoError, match="must be a"):
            open_photo(wrong)


def test_integers_are_never_taken_for_pixel_values(encoder):
    side = encoder.backbone.config.vision_config.image_size
    photo = np.asarray(make_sample(0, "test", 3).picture(side))
    batch = torch.from_numpy(photo.copy()).permute(2, 0, 1)[None]
    for call in (lambda: encoder.score(batch, TEXTS), lambda: encoder.encode_images(batch)):
        with pytest.raises(ValueError, match=r"`images` .*uint8"):
            call()
    with pytest.raises(ValueError, match=r"`pixel_values` .*uint8"):
        encoder.get_image_features(batch)
    with pytest.raises(ValueError, match=r"`images` .*finite.*NaN"):
        encoder.encode_images(torch.full((1, 3, side, side), torch.nan))
    with pytest.raises(ValueError, match=r"shape .*\(1, 16, 16, 3\)"):
        encoder.encode_images(torch.zeros(1, 16, 16, 3))
    with pytest.raises(ValueError, match=r"shape \(\d+, \d+, 3\)"):
        encoder.encode_images(photo)
    expected = encoder.encode_images([Image.fromarray(photo)])
    assert torch.allclose(encoder.encode_images([photo]), expected)
    assert torch.allclose(encoder.encode_images(photo[None]), expected)


# -- large photos --------------------------------------------------------------------------------------------------

PEAK = """
import resource, sys
from notclip.remote.photo_notclip import open_photo
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    size = open_photo(sys.argv[1]).size
except ValueError as error:
    size = str(error)[:30]
print(size, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def opened_elsewhere(path):
    """The size of a photo that another process opened, and the megabytes that this took at most."""
    done = subprocess.run([sys.executable, "-c", PEAK, str(path)], capture_output=True, text=True, check=True)
    size, _, peak = done.stdout.strip().rpartition(" ")
    return size, int(peak)


def test_a_photo_of_108_megapixels_is_opened_in_little_memory(tmp_path):
    stripes = Image.new("L", (12_000, 9_000), 60)
    stripes.paste(200, (6_000, 0, 12_000, 9_000))
    stripes.save(tmp_path / "phone.jpg", quality=85, exif=exif(6))
    size, peak = opened_elsewhere(tmp_path / "phone.jpg")
    assert size == "(2250, 3000)"
    assert peak < 150
    photo = open_photo(tmp_path / "phone.jpg")
    assert photo.width * photo.height <= KEPT_PIXELS
    assert abs(photo.getpixel((1000, 100))[0] - 60) < 3 and abs(photo.getpixel((1000, 2900))[0] - 200) < 3
    again = plain_photo((tmp_path / "phone.jpg").read_bytes())
    assert Image.open(io.BytesIO(again)).size == (2250, 3000)  # below Pillow's own limit, which load_dataset has


def test_the_largest_png_takes_half_a_gigabyte_at_most(tmp_path):
    Image.new("RGBA", (8_000, 8_000), (9, 9, 9, 0)).save(tmp_path / "large.png", compress_level=1)
    size, peak = opened_elsewhere(tmp_path / "large.png")
    assert size == "(4000, 4000)"
    assert peak < 620


def test_there_is_one_list_of_suffixes():
    from notclip.hub_cards.staging.join_images import PICTURES

    assert PICTURES == PHOTO_SUFFIXES
    assert {".jpg", ".png", ".tif", ".avif", ".heic"} <= PHOTO_SUFFIXES
