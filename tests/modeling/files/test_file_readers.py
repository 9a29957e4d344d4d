"""The readers of YAML and JSON: whatever a file holds, it is values or one sentence with file and line."""

import pickle
import resource
from itertools import pairwise
from pathlib import Path

import pytest

from notclip.errors import BadInputError, shortened
from notclip.files.json_files import read_json
from notclip.files.yaml_files import read_yaml

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in pairwise("abcdefghi")
)


def read(tmp_path: Path, text: str | bytes, reader=read_yaml):
    file = tmp_path / "file"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return reader(file, "The suite")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: [}", r"The suite .*file line 2 is not valid YAML"),
        ("a: 2026-99-99", "not what it looks .*texts in quotes"),
        ("a: !!int z", "not what it looks"),
        ("a: !!binary é", "not valid YAML|not what it looks"),
        ("a: !!python/object/apply:os.system [ls]", "is not valid YAML"),
        ("[" * 100_000, "line 1: .*may be 64 deep"),
        ("- " * 100_000, "line 1: .*may be 64 deep"),
        (BOMB, r"may hold 5,000,000 values, aliases written out"),
        ("a: &a [*a]", r"line 1: the alias \*a .*complete"),
        ("names:\n  0: cat\n  0: dog", r"line 3: the key '0' stands there twice"),
        (b"a: \xe9", r"line 1 is not UTF-8 text"),
        (b"a: \0", "is not valid YAML"),
    ],
)
def test_yaml_that_is_none_is_refused_with_its_line(tmp_path: Path, text: str | bytes, message: str):
    with pytest.raises(BadInputError, match=message):
        read(tmp_path, text)


def test_a_bomb_of_aliases_takes_no_memory(tmp_path: Path):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BadInputError):
        read(tmp_path, BOMB)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB


def test_yaml_with_few_aliases_is_read_and_1_is_another_key_than_a_quoted_one(tmp_path: Path):
    assert read(tmp_path, "a: &x [1, 2]\nb: *x\n1: p\n'1': q") == {"a": [1, 2], "b": [1, 2], 1: "p", "1": "q"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_both_readers_take_any_encoding_that_says_what_it_is(tmp_path: Path, encoding: str):
    assert read(tmp_path, 'a: "è\r\n"\r\n'.encode(encoding)) == {"a": "è "}
    assert read(tmp_path, '{"a": "è"}\r\n'.encode(encoding), read_json) == {"a": "è"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a":\n}', r"The suite .*file line 2: not valid JSON"),
        ("[" * 100_000, "too deep"),
        ('{"a": NaN}', "NaN is no number of JSON's"),
        ('{"a": [-Infinity]}', "-Infinity is no number"),
        ('[{"a": 1, "b": 2, "a": 3}]', "key 'a' .*twice"),
        ("1" * 5000, "is not valid JSON"),
        (b'{"a": "\xe9"}', "line 1 is not UTF-8 text"),
    ],
)
def test_json_that_is_none_is_refused_with_its_line(tmp_path: Path, text: str | bytes, message: str):
    with pytest.raises(BadInputError, match=message):
        read(tmp_path, text, read_json)


@pytest.mark.parametrize("reader", [read_yaml, read_json])
def test_what_is_no_file_or_too_large_is_refused_before_it_is_read(tmp_path: Path, reader):
    import os

    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "large").open("wb") as stream:
        stream.truncate(65 * 2**20)
    for name, message in (("pipe", "is no file"), ("large", "may have 67,108,864 bytes"), ("no", "does not exist")):
        with pytest.raises(BadInputError, match=message):
            reader(tmp_path / name, "The suite")
    with pytest.raises(BadInputError, match="cannot be read"):
        reader(tmp_path / ("n" * 300), "The suite")
    with pytest.raises(BadInputError, match="cannot be read"):
        reader(tmp_path / "zero\0byte", "The suite")


def test_a_value_in_an_error_is_never_longer_than_a_line():
    assert shortened("no") == "'no'"
    assert len(shortened("A" * 10**6)) == 80
    assert len(shortened(["A" * 1000] * 1000)) <= 121
    assert shortened("\ud800\x1b[0m").isascii()


def test_an_error_is_short_and_holds_no_control_characters_whatever_others_wrote():
    error = BadInputError("unknown column " + "a\x1b[2J" * 10_000 + "; it knows `image`.")
    assert len(str(error)) < 1000
    assert str(error).startswith("unknown column a\\x1b[2J")
    assert str(error).endswith("; it knows `image`.")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301  # As workers of a pool send it.
