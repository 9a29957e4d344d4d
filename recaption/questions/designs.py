"""Which statements can compete in one question, so that each of them is the only true one of some image."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from notclip.dataset.rows import Kind, kind_of

# One design a line: statements apart by |, each a list of concepts, those with a minus said to be absent. Letters
# stand for concepts that go together. The first of four: "a dog and a ball | a dog but no ball | a ball but no dog |
# neither".
_DESIGNS = """
X | -X
X Y | X -Y
X Y | -X -Y
X -Y | Y -X
X -Y | -X
Y -X | X

X Y | -X | -Y
X | Y | -X -Y
-X | Y | X -Y
X Y | X -Y | -X
X | Y -X | -X -Y
X Y | Y Z | -Y
X -Y | Y -X | -X -Y

X Y | X -Y | Y -X | -X -Y
X | Y | Z -X | -Y -Z
X | Y -X | Z -X | -Y -Z
X | Y -X | Z -Y | -Z
X | -Y | Z Y | -X -Z
X | Y -Z | Z -Y | -Y -Z
-X | Y Z | Y -Z | -Y -Z
-X | X Y | Z -Y | -Z
-X | X Y | X Z | -Y -Z
-X | Y -Z | Z -Y | -Y -Z
X Y | X -Y | Z Y | Z -Y
X Y | X Z | Y Z | -X -Y
X Y | -X -Y | -X -Z | -Y -Z
X Y | X -Y | Z -X | -X -Z
-X | X -Y | X Y -Z | X Y Z
-X | -Y | X Y -Z | X Y Z
X | Y -X | Z -X -Y | -X -Y -Z
X | Y | Z -X -Y | -X -Y -Z
X | Y | Z | -X -Y -Z
-X | -Y | -Z | X Y Z
X | Y | -Z | W -V
X | -Y | Z -W | W -Z

X Y Z | X Y -Z | X -Y | Y -X | -X -Y
X Y | X -Y | Y -X | Z -X -Y | -X -Y -Z
-X -Y | Y -X | X -Y | X Y -Z | X Y Z
-X | -Y | X Y -Z | X Y Z -W | X Y Z W

X Y Z | X Y -Z | X -Y | Y Z -X | Y -X -Z | -X -Y
X Y | X -Y | Y Z -X | Y -X -Z | Z -X -Y | -X -Y -Z

X Y Z | X Y -Z | X Z -Y | X -Y -Z | Y Z -X | Y -X -Z | -X -Y
X Y | X Z -Y | X -Y -Z | Y Z -X | Y -X -Z | Z -X -Y | -X -Y -Z

X Y Z | X Y -Z | X Z -Y | X -Y -Z | Y Z -X | Y -X -Z | Z -X -Y | -X -Y -Z
"""


@dataclass(frozen=True, slots=True)
class Literals:
    """One statement of a design: indices of the concepts that it affirms and of those that it negates."""

    affirmed: tuple[int, ...]
    negated: tuple[int, ...]

    @property
    def kind(self) -> Kind:
        """`affirmation`, `negation` or `hybrid`."""
        return kind_of(self.affirmed, self.negated)


@dataclass(frozen=True, slots=True)
class Design:
    """Statements over concepts 0, 1, …, of which an image can make any one true and all others false."""

    statements: tuple[Literals, ...]
    concepts: int

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Kind of each statement."""
        return tuple(statement.kind for statement in self.statements)


def parse_design(line: str) -> Design:
    """Read one line of the table: `parse_design("X -Y | Y")` affirms X without Y, or Y."""
    letters: dict[str, int] = {}
    statements = []
    for part in line.split("|"):
        signs: tuple[list[int], list[int]] = ([], [])
        for minus, letter in re.findall(r"(-?)([A-Z])", part):
            signs[minus == "-"].append(letters.setdefault(letter, len(letters)))
        statements.append(Literals(tuple(signs[0]), tuple(signs[1])))
    return Design(tuple(statements), len(letters))


@cache
def designs(choices: int) -> Sequence[Design]:
    """All designs with this number of statements.

    Raises:
        ValueError: no design has so many statements.
    """
    found = tuple(parse_design(line) for line in _DESIGNS.splitlines() if line and line.count("|") + 1 == choices)
    if not found:
        raise ValueError(f"`choices` must be between 2 and 8, got {choices}.")
    return found
