"""All that the cards of one release say, read from the files that training, building and scoring wrote."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from notclip.dataset.built import DatasetFiles, read_dataset_files
from notclip.errors import BadInputError
from notclip.files.derived import file_digest
from notclip.files.json_files import check_record, read_json_object
from notclip.files.text_files import read_text
from notclip.files.yaml_files import read_front_matter
from notclip.hub_cards.hub_rules import check_license, check_repo_id
from notclip.hub_cards.staging.config import StageConfig
from notclip.scoring.results import Results

ROLES = ("base", "backbone", "notclip")
# Form of the model -> which scored model's results its card shows: the adapter on its base is the merged backbone.
FORM_ROLES = {"model": "notclip", "backbone": "backbone", "adapter": "backbone", "base": "base"}
METRICS = ("negated_mcq", "negated_retrieval")


def folder_of(package: str) -> Path:
    """Where the files of one of our packages lie; none of its code is run."""
    found = find_spec(package)
    assert found is not None and found.submodule_search_locations is not None  # noqa: S101  # ours
    return Path(found.submodule_search_locations[0])


MOST_OF_A_CARD = 4 * 2**20  # bytes
# What the cards read of a training.json.
_RECORD = {
    "base": str,
    "config": {"recall_tolerance": float, "contrastive_weight": float, "anchor_weight": float, "epochs": int}
    | {"variant": str, "rank": int, "seed": int},
    "weights_sha256": dict.fromkeys(ROLES, str),
    "chosen_epoch": int,
    "history": list,
    **dict.fromkeys(("trainable_parameters", "total_parameters"), int),
    **dict.fromkeys(("training_images", "training_captions", "training_questions"), int),
    "versions": dict,
    "python": str,
}


@dataclass(frozen=True)
class Base:
    """The dual encoder that was taught: its Hub id, the folder it came from if any, and its own licence if known."""

    repo_id: str
    folder: Path | None
    license: str | None

    @property
    def label(self) -> str:
        """What tables and figures call it."""
        return self.repo_id.rpartition("/")[2]


@dataclass(frozen=True)
class Release:
    """One release, read and found complete.

    Args:
        namespace: owner of its repositories.
        name: what their names start with.
        version: that their tags name.
        base: the dual encoder that was taught.
        model: folder of train-adapter.
        training: its training.json.
        dataset: the built dataset.
        suites: name of a suite -> role -> results; the first is the dataset's own test split.
        weights_license: licence that the user gave for the merged weights.
        with_images: whether the dataset goes out with its pictures.
        image_url: address of a picture, with `{image_id}` in it, for a dataset without them.
    """

    namespace: str
    name: str
    version: str
    base: Base
    model: Path
    training: Mapping[str, Any]
    dataset: DatasetFiles
    suites: Mapping[str, Mapping[str, Results]]
    weights_license: str | None
    with_images: bool
    image_url: str | None

    @property
    def repo_ids(self) -> dict[str, str]:
        """Folder of the stage -> id of its repository."""
        ids = {
            "model": f"{self.namespace}/{self.name}",
            "backbone": f"{self.namespace}/{self.name}-backbone",
            "adapter": f"{self.namespace}/{self.name}-adapter",
            "dataset": f"{self.namespace}/{self.name}-data",
        }
        if self.base.folder is not None:
            ids["base"] = self.base.repo_id
        # A metric's repository must bear the name of its file.
        ids |= {f"metrics/{metric}": f"{self.namespace}/{metric}" for metric in METRICS}
        return ids | {"space": f"{self.namespace}/{self.name}-demo"}

    def tag(self, folder: str) -> str:
        """Tag of this version of a repository; a metric's names the release, since several share its repository."""
        return f"{self.name}-v{self.version}" if folder.startswith("metrics/") else f"v{self.version}"

    def references(self, folder: str) -> dict[str, Any]:
        """What release.json of one repository says: the release, and each repository's id and pinned revision."""
        pinned: dict[str, dict[str, str | None]] = {
            name: {"id": repo_id, "revision": self.tag(name)} for name, repo_id in self.repo_ids.items()
        }
        if "base" not in pinned:
            measured = self.scored["base"].provenance.get("revision")
            pinned = {"base": {"id": self.base.repo_id, "revision": measured}, **pinned}
        return {
            "made_with": f"notclip {version('notclip')}",
            "name": self.name,
            "version": self.version,
            "folder": folder,
            "links": {name: repo["id"] for name, repo in pinned.items()},
            **pinned,
        }

    @property
    def scored(self) -> Mapping[str, Results]:
        """Role -> results on the dataset's own test split."""
        return next(iter(self.suites.values()))

    @property
    def classes(self) -> dict[str, str]:
        """Names of the backbone's own model class and type."""
        file = self.model / "backbone" / "config.json"
        config = read_json_object(file, "`model`")
        check_record(config, {"architectures": list, "model_type": str}, f"`model` {file}")
        return {"model": config["architectures"][0], "model_type": config["model_type"]}


def read_release(config: StageConfig) -> Release:
    """Read a release's inputs and check that they belong together.

    Raises:
        BadInputError: something is missing, or the results are of other models or other data than those staged.
    """
    for part in ("adapter/adapter_config.json", "backbone/config.json", "model/config.json", "training.json"):
        if not (config.model / part).is_file():
            raise BadInputError(
                f"`model` {config.model} must hold {part}: a folder that `notclip train-adapter` wrote."
            )
    training = read_json_object(config.model / "training.json", "`model`")
    check_record(training, _RECORD, f"`model` {config.model / 'training.json'}")
    base, name = _read_base(config, training["base"])
    dataset = read_dataset_files(config.data, license=config.data_license)
    release = Release(
        namespace=config.namespace,
        name=name,
        version=config.version or version("notclip"),
        base=base,
        model=config.model,
        training=training,
        dataset=dataset,
        suites=_read_suites(config, training, dataset),
        weights_license=config.weights_license,
        with_images=config.images == "embedded" and dataset.license is not None,
        image_url=config.image_url,
    )
    for repo_id in release.repo_ids.values():
        check_repo_id(repo_id, because="Give the release another `name`, from which its repositories take theirs.")
    return release


def _read_base(config: StageConfig, recorded: str) -> tuple[Base, str]:
    folder = _folder_of_base(config.model, recorded)
    stem = (config.base_id or str(folder.resolve())).rpartition("/")[2]
    name = config.name or f"notclip-{stem}"
    if config.base_id is not None:
        return Base(config.base_id, None, None), name
    if folder.is_dir():
        return Base(f"{config.namespace}/{name}-base", folder, _license_of(folder)), name
    if folder.is_absolute() or recorded.startswith(".") or recorded.count("/") > 1:
        raise BadInputError(
            f"`model` {config.model} was trained on the base {recorded}, a folder that is not here. "
            "Name the base's Hub repository with --base-id."
        )
    check_repo_id(recorded if "/" in recorded else f"owner/{recorded}", because="Name the base with --base-id.")
    return Base(recorded, None, None), name


def _folder_of_base(model: Path, recorded: str) -> Path:
    """The base's folder, if it was one; a relative name was typed in a folder that mostly lies above the model's."""
    above = [] if Path(recorded).is_dir() else [parent / recorded for parent in model.resolve().parents]
    return next((folder for folder in above if (folder / "config.json").is_file()), Path(recorded))


def _license_of(folder: Path) -> str | None:
    card = folder / "README.md"
    if not card.is_file():
        return None
    stated = read_front_matter(read_text(card, "The card", largest=MOST_OF_A_CARD), f"The card {card}").get("license")
    if stated is None or stated in ("other", "unknown"):
        return None
    check_license(
        str(stated),
        named=f"`license` in {card}, which the merged weights take unless you give another by --weights-license,",
    )
    return str(stated)


def _read_suites(
    config: StageConfig, training: Mapping[str, Any], dataset: DatasetFiles
) -> dict[str, dict[str, Results]]:
    suites: dict[str, dict[str, Results]] = {}
    for results in map(Results.read, config.results):
        if (results.provenance.get("options") or {}).get("limit") is not None:
            raise BadInputError(
                f"`results` {results.path} scores a part of its suite: score all of it, without --limit."
            )
        role = _role_in_release(results, config.model, training)
        of_suite = suites.setdefault(results.suite, {})
        if role in of_suite:
            raise BadInputError(f"`results` {of_suite[role].path} and {results.path} score the same model and suite.")
        of_suite[role] = results
    expected = dataset.hashes("test")
    own = [name for name, scored in suites.items() if all(_scores_all_of(r, expected) for r in scored.values())]
    if len(own) != 1:
        raise BadInputError(
            f"`results` must hold the scores on the test split of {config.data} as it is now, by the hashes of its "
            f"files; got suites {', '.join(suites)}. Score it again: `notclip score-model --suite {config.data}`."
        )
    for name, scored in suites.items():
        if missing := [role for role in ROLES if role not in scored]:
            raise BadInputError(
                f"`results` on {name} lack the {missing[0]} model: score the base, the merged backbone "
                f"({config.model / 'backbone'}) and NotCLIP ({config.model / 'model'}) on it."
            )
    ordered = sorted(suites, key=lambda name: (name not in own, name))
    return {name: {role: suites[name][role] for role in ROLES} for name in ordered}


def _role_in_release(results: Results, model: Path, training: Mapping[str, Any]) -> str:
    """Which of its models results are of, found to have the weights that are staged."""
    role, weights = results.role, training["weights_sha256"]
    if role not in ROLES:
        raise BadInputError(
            f"`results` {results.path} scores {results.model}, which is neither the base {training['base']} nor a "
            f"model in {model}."
        )
    measured, known = results.provenance.get("weights_sha256"), [weights[role]]
    if role == "backbone":  # NotCLIP with nothing composed is that, too.
        known.append(weights["notclip"])
    if (adapter := results.provenance.get("adapter_sha256")) is not None:
        # Merged anew whenever it is loaded, to the last digit or not: then it is known by its own file.
        file = model / "adapter" / "adapter_model.safetensors"
        measured, known = adapter, [file_digest(file)] if file.is_file() else []
    if measured not in known:
        raise BadInputError(
            f"`results` {results.path} scores {results.content['model']} with other weights than those of the base "
            f"{training['base']} and the models in {model}: score again what was trained there."
        )
    return role


def _scores_all_of(results: Results, expected: Mapping[str, str]) -> bool:
    """Whether results are on these very files; pairs, which results of before they were scored lack, may be absent."""
    scored = results.provenance.get("data") or {}
    needed = {file for file in expected if not file.startswith("pairs/")}
    return needed <= set(scored) and all(expected.get(file) == digest for file, digest in scored.items())
