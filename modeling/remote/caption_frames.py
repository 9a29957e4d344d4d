"""What a caption says beside what it shows: "this image features a dog" and "a dog can be seen here" show a dog.

An encoder trained on descriptions reads the frame as more to be found in the image. Where a caption is composed from
its parts, the affirmed one is embedded without its frame, so that every way to say "a dog" is the same query.
"""

import re

_PICTURE = r"(?:image|picture|photo|photograph|scene|snapshot|shot|frame|view|snap|illustration|drawing|clip|video)"
_SHOW = r"(?:shows?|features?|depicts?|contains?|includes?|captures?|displays?|presents?|portrays?|has|have)"
_SHOWING = r"(?:show|featur|depict|contain|includ|captur|display|present|portray|hav)ing"
_HOW = r"(?:clearly|also|only|just|simply|does|do|both|still|indeed)"
_SEEN = r"(?:visible|present|shown|pictured|depicted|featured|included|displayed|seen|there|here|in view|in sight)"
_BEFORE = [
    # this image (clearly) shows …, a photo of …, an ordinary scene with …
    rf"(?:here (?:is|'s) )?(?:this|that|the|an?|another)(?: \w+)? {_PICTURE}(?: {_HOW})* "
    rf"(?:{_SHOW}|{_SHOWING}|with|of|is of)",
    # in this picture, …
    rf"in (?:this|that|the) {_PICTURE},?",
    # there is …, there are …
    rf"there(?: {_HOW})?(?: is|'s| are)(?: {_HOW})*",
    # you can see …, I see …, we find …
    rf"(?:you|we|i|one)(?: can| will| could)?(?: {_HOW})* (?:see|find|spot|notice|have)",
    # it shows …, does show …; without either only before a determiner: "displays of fruit" are things
    rf"(?:it (?:{_HOW} )*|(?:does|do) (?:also )?){_SHOW}",
    rf"(?:{_HOW} )*(?:{_SHOW}|{_SHOWING})(?= (?:an?|the|some|one|two|three|four|several|many|both) )",
    rf"(?:pictured|shown|visible|seen|depicted)(?: {_HOW})*(?: here| in (?:this|that|the) {_PICTURE})? (?:is|are)",
    r"(?:here|this|these) (?:is|are)",
]
_AFTER = [
    # … is visible, … are shown (here)
    rf"(?:is|are)(?: {_HOW})* {_SEEN}",
    r"can be (?:seen|found|spotted|made out)",
    r"(?:appears?|shows up)",
    rf"(?:is|are) part of (?:this|that|the) {_PICTURE}",
    rf"in (?:this|that|the) {_PICTURE}",
    r"(?:here|in view|in sight)",
]
_LONGEST_FRAME = 200  # letters; the longest that the lists above bring together have 70
_ARTICLES = {"a", "an", "the"}
_WORD = re.compile(r"\w+(?:['’-]\w+)*")
_LEADING = re.compile(rf"(?:{'|'.join(_BEFORE)})\s+(?=\S)", re.IGNORECASE)
_TRAILING = re.compile(rf"(?<=\S),?\s+(?:{'|'.join(_AFTER)})\s*$", re.IGNORECASE)


def without_frame(text: str) -> str:
    """Take away what frames the things that a caption shows; a text without a frame comes back as it is.

    >>> without_frame("This image clearly features a dog and a ball")
    'a dog and a ball'
    >>> without_frame("A red bus can be seen in this photo")
    'A red bus'
    >>> without_frame("two men at a bus stop")
    'two men at a bus stop'
    """
    bare = text.strip().rstrip(".!")
    start, end = 0, len(bare)
    # Each look is at the text's first or last letters alone, however many frames stand inside each other.
    before = None
    while (start, end) != before:
        before = start, end
        if match := _TRAILING.search(bare, max(start, end - _LONGEST_FRAME), end):
            end = match.start()
        if match := _LEADING.match(bare, start, min(end, start + _LONGEST_FRAME)):
            start = match.end()
    return bare[start:end] if (start, end) != (0, len(bare)) else text


def count_words(text: str) -> int:
    """How many words describe something, articles left out; at least 1, so that it can be divided by.

    >>> count_words("A red bus"), count_words("red bus"), count_words("the")
    (2, 2, 1)
    """
    return max(1, sum(word.lower() not in _ARTICLES for word in _WORD.findall(text)))
