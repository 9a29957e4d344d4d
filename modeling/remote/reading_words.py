"""The words of a text as the reader of negation sees them: where each starts and ends, punctuation kept as words."""

import re

_WORD = re.compile(
    # "doesn't" is "does" and "n't", also where a tokeniser has spread it ("does n't", "doesn ' t").
    r"(?:is|are|was|were|do|does|did|has|have|had|ca|could|wo|would|should|must|need|ai)(?=n ?['’] ?t\b)"
    r"|n ?['’] ?t\b"
    r"|['’](?:s|re|ve|ll|d|m)\b"
    r"|w/o(?:ut)?\b"
    r"|no[nt]?(?=-[^\W_])"  # "no-one", "non-smoking", "not-so-old"
    # "t-shirt", "white_background", "o'clock", "737-200", "3.5"; "car-free" is three words.
    r"|[^\W_]+(?:(?:[-_](?!free\b)|['’](?!(?:s|re|ve|ll|d|m)\b)|[.](?=\d))[^\W_]+)*"
    r"|([^\w\s])\1*"
    r"|_+",
    re.IGNORECASE,
)


def split_words(text: str) -> list[tuple[int, int]]:
    """Where the words of a text start and end; white space alone is in none.

    >>> text = "A t-shirt, no hat. It isn't car-free w/o -cars"
    >>> [text[start:end] for start, end in split_words(text)]
    ['A', 't-shirt', ',', 'no', 'hat', '.', 'It', 'is', "n't", 'car', '-', 'free', 'w/o', '-', 'cars']
    """
    return [match.span() for match in _WORD.finditer(text)]
