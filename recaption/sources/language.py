"""Captions in another language than English, which are refused: negation is read and written in English."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

from notclip.errors import BadInputError, shortened

_WORD = re.compile(r"[^\W\d_]+")
_LETTERS_READ = 200
_LEAST_CAPTIONS = 8  # Of fewer nothing is said.
# Words that stand in nearly every sentence of a language and are none of English's.
_FUNCTION_WORDS = {
    "German": "der die das ein eine einen einem einer und mit auf im ist sind zwei vor nicht dem den von",
    "French": "le la les un une des du et avec dans sur est sont deux qui au aux devant ses son",
    "Spanish": "el la los las un una unos y con en del es está están dos que por su al sobre",
    "Italian": "il lo la gli un una uno e con nel nella sul sulla è sono due che di della su",
    "Portuguese": "o os as um uma e com em no na do da é são dois duas que ao sobre seu",
    "Dutch": "de het een en met op in is zijn twee van voor niet aan die naast",
    "Polish": "i w na z jest są dwa dwie się nie do przed po",
    "Swedish": "en ett och med på är två som i det den av framför",
    "Turkish": "bir ve ile bu iki olan üzerinde önünde",
    "Vietnamese": "một và với trên là hai đang của có người",
    "Indonesian": "sebuah seorang dan dengan di yang dua adalah sedang",
}
_OTHERS = {name: frozenset(words.split()) for name, words in _FUNCTION_WORDS.items()}
_ENGLISH = frozenset(
    """
    a an the of in on at with and is are to by from his her its their two three for near over while as this that there
    no not some up down next into through it he she they
    """.split()
)


def foreign_language(captions: Iterable[str]) -> str | None:
    """The language of captions that are not English, such as "German", or their script; None for English, or unsure.

    >>> foreign_language(["Ein Hund läuft auf dem Gras", "Zwei Kinder spielen mit einem Ball"] * 4)
    'German'
    >>> foreign_language(["A dog runs on the grass", "Two children play with a ball"] * 4) is None
    True
    """
    found: Counter[str] = Counter()
    captions = [text for text in captions if len(text) > 3]
    for text in captions:
        found[_language_of_one(text)] += 1
    found.pop("", None)
    if not found or len(captions) < _LEAST_CAPTIONS:
        return None
    language, count = found.most_common(1)[0]
    return language if language != "English" and 2 * count > len(captions) else None


def _language_of_one(text: str) -> str:
    letters = [letter for letter in text[:_LETTERS_READ] if letter.isalpha()]
    beyond = [letter for letter in letters if not unicodedata.name(letter, "").startswith("LATIN")]
    if 2 * len(beyond) > len(letters):
        scripts = Counter(unicodedata.name(letter, "another").partition(" ")[0] for letter in beyond)
        script = scripts.most_common(1)[0][0]
        return "Chinese or Japanese" if script == "CJK" else f"{script.capitalize()} script"
    words = set(_WORD.findall(text.lower()))
    counts = {name: len(words & own) for name, own in _OTHERS.items()}
    language = max(counts, key=lambda name: counts[name])
    english = len(words & _ENGLISH)
    if counts[language] >= 2 and counts[language] > english:
        return language
    return "English" if english else ""


def require_english(captions: Iterable[str], where: str) -> None:
    """Refuse captions that are nearly all in another language.

    Raises:
        BadInputError: naming the language, and what can be done.
    """
    captions = list(captions)
    language = foreign_language(captions)
    if language is not None:
        raise BadInputError(
            f"The captions of {where} are not English, they look {_as_adjective(language)}, such as "
            f"{shortened(captions[0])}: negation is read and written in English. Name a column of English captions "
            "'caption', translate them first, or leave them out and build from labels."
        )


def _as_adjective(language: str) -> str:
    return f"written in {language}" if language.endswith("script") else language
