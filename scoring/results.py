"""What `notclip score-model` measured, read back for the cards: a figure with its interval, or an error."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from notclip.errors import BadInputError
from notclip.scoring.measures import difference_name
from notclip.scoring.results_file import PARTS, read_results

OPTIONAL_PARTS = ("comparisons",)


@dataclass(frozen=True)
class Figure:
    """One measured number, a share or a difference of shares, with the ends of its confidence interval."""

    value: float
    low: float | None = None
    high: float | None = None

    @property
    def whiskers(self) -> tuple[float, float]:
        """How far the interval reaches below and above the value; not at all where there is none."""
        low = self.value if self.low is None else self.low
        high = self.value if self.high is None else self.high
        return max(0.0, self.value - low), max(0.0, high - self.value)


@dataclass(frozen=True)
class Results:
    """One results JSON: one model on one suite."""

    path: Path
    content: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> "Results":
        """Read a file that `notclip score-model` wrote.

        Raises:
            BadInputError: it is none, or holds a figure outside its range.
        """
        return cls(path, read_results(path))

    @property
    def suite(self) -> str:
        """What was asked."""
        return str(self.content["suite"])

    @property
    def model(self) -> str:
        """What was scored: the model, with the adapter that was put on it and the composition that was asked for."""
        options = self.provenance.get("options") or {}
        parts = {"adapter": options.get("adapter"), "composition": options.get("composition")}
        named = [f"{name} {value}" for name, value in parts.items() if value]
        return str(self.content["model"]) + (f" with {' and '.join(named)}" if named else "")

    @property
    def published(self) -> dict[str, Any]:
        """The content that goes out with a model: figures and where they come from, without each question's scores."""
        return {name: self.content[name] for name in PARTS + OPTIONAL_PARTS if name in self.content}

    def role(self, *, trained: Path, base: str, weights: Mapping[str, str]) -> str:
        """Which model of a release was scored: `base`, `backbone` or `notclip`.

        Args:
            trained: the folder that `notclip train-adapter` wrote.
            base: the base, as training named it.
            weights: role -> hash of its weights, as training wrote them down; empty after a training of before that.

        Raises:
            BadInputError: it is none of them.
        """
        measured = self.provenance.get("weights_sha256")
        # An adapter is merged anew whenever it is loaded, to the last digit or not: then names must do.
        if weights and measured and not self.provenance.get("adapter"):
            return self._role_by_weights(str(measured), weights, trained=trained, base=base)
        return self._role_by_name(trained=trained, base=base)

    def _role_by_weights(self, measured: str, weights: Mapping[str, str], *, trained: Path, base: str) -> str:
        composition = self.provenance.get("composition")
        roles = [role for role, own in weights.items() if own == measured]
        if "notclip" in roles and composition == "none":
            roles = ["backbone"]
        if "base" in roles and composition != "none":
            roles.remove("base")
        if len(roles) > 1:  # An adapter that changes nothing: base and merged backbone are the same.
            return self._role_by_name(trained=trained, base=base)
        if not roles:
            raise BadInputError(
                f"`results` {self.path} scores {self.content['model']} with other weights than those of the base "
                f"{base} and the models in {trained}: score again what was trained there."
            )
        return roles[0]

    def _role_by_name(self, *, trained: Path, base: str) -> str:
        model, options = str(self.content["model"]), self.provenance
        adapter, composition = options.get("adapter"), options.get("composition")
        if _same(model, trained / "model"):
            return "backbone" if composition == "none" else "notclip"
        if _same(model, trained / "backbone") or (model == base and adapter and _same(adapter, trained / "adapter")):
            return "backbone"
        if _same(model, base) and not adapter and composition == "none":
            return "base"
        raise BadInputError(
            f"`results` {self.path} scores {model}, which is neither the base {base} nor a model in {trained}."
        )

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Where the numbers come from: seed, hashes and revisions of model, data and code."""
        return self.content["provenance"]

    def has(self, name: str) -> bool:
        """Whether a metric was measured; names of metrics inside another are joined by a slash."""
        return isinstance(inside(self.content["metrics"], name), int | float)

    def difference(self, name: str, other: "Results") -> Figure:
        """How far a metric is above another model's: by the paired comparison, with interval, where there is one."""
        compared = self.content.get("comparisons", {}).get(f"{other.content['model']} ({other.path.stem})", {})
        paired = difference_name(name)
        if paired not in compared:
            return Figure(self.figure(name).value - other.figure(name).value)
        low, high = compared["confidence_intervals"].get(paired, (None, None))
        return Figure(compared[paired], low, high)

    def figure(self, name: str) -> Figure:
        """A metric and its confidence interval, where it has one: counts and chance have none.

        Raises:
            BadInputError: it was not measured, so that no card may show it.
        """
        value = inside(self.content["metrics"], name)
        if not isinstance(value, int | float):
            raise BadInputError(
                f"`results` {self.path} has no metric {name!r}, which the cards show. Score {self.content['model']} "
                "again with `notclip score-model`, on the dataset that `notclip build-dataset` wrote."
            )
        interval = inside(self.content["confidence_intervals"], name)
        if isinstance(interval, Sequence) and len(interval) == 2:
            return Figure(float(value), float(interval[0]), float(interval[1]))
        return Figure(float(value))


def inside(content: Any, name: str) -> Any:
    """What stands in nested results under a name, `accuracy_by_kind/negation`; None where nothing does."""
    for part in name.split("/"):
        if not isinstance(content, Mapping) or part not in content:
            return None
        content = content[part]
    return content


def _same(named: str | Path, other: str | Path) -> bool:
    """Whether two names mean the same model: the same Hub id, or the same folder."""
    return str(named) == str(other) or (Path(named).exists() and Path(named).resolve() == Path(other).resolve())
