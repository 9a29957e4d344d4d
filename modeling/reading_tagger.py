"""Stand-in until the trained tagger is merged: every word is affirmed."""

LABELS = ("A", "B", "I", "S", "C", "D")


class Tagger:
    @classmethod
    def default(cls):
        return cls()

    def tag(self, texts):
        return ["A" * len(words) for words in texts]


def may_deny(words):
    return True
