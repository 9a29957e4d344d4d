"""What a user of a release does, as a program of its own that must run without this package.

`notclip check-release` starts it in a fresh process on a staged folder, `notclip rehearse` on ids of a Hub. It blocks
`import notclip`, so that only what stands in the release is used. Its one argument is JSON: `places`, the folder or
id of each part; `base`, where the adapter's backbone is; `tolerance` of scores; and `parts`, what to check; of a
Space that runs, `space`.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


class Checks:
    """Runs checks one after the other, says how each went, and remembers whether all passed."""

    def __init__(self) -> None:
        self.failed = 0

    def run(self, what: str, check: Callable[[], str]) -> None:
        """Run one check; it returns a few words on what it saw, or raises."""
        try:
            print(f"  ok      {what}: {check()}", flush=True)  # noqa: T201
        except Exception as error:
            self.fell(what, error)

    def fell(self, what: str, error: Exception) -> None:
        """Say what a check fell to."""
        said = "".join(letter if letter.isprintable() else " " for letter in str(error))  # It may be a stranger's.
        self.failed += 1
        print(f"  FAILED  {what}: {type(error).__name__}: {said[:1000]}", flush=True)  # noqa: T201


class ReferenceScores:
    """Images and texts that the training run scored, with its scores: `reference_scores.json` of the model."""

    def __init__(self, model: str):
        import numpy as np
        from huggingface_hub import hf_hub_download
        from PIL import Image

        name = "reference_scores.json"
        file = Path(model) / name if Path(model).is_dir() else Path(hf_hub_download(model, name))
        content = json.loads(file.read_text(encoding="utf-8"))
        self.texts: list[str] = content["texts"]
        self.scores: list[list[float]] = content["scores"]
        self.plain_scores: list[list[float]] = content["plain_scores"]
        pixels = [Image.fromarray(np.array(image, dtype=np.uint8)) for image in content["images"]]
        self.images = [image.resize((96, 96), Image.Resampling.NEAREST) for image in pixels]


def compare(scores: Any, expected: list[list[float]], tolerance: float) -> str:
    """Say how far scores are from the training run's, or raise when it is too far."""
    import torch

    difference = (scores - torch.tensor(expected)).abs().max().item()
    if not difference <= tolerance:
        raise ValueError(f"scores differ by {difference:.2e}, more than {tolerance:.0e}")
    return f"scores equal the training run's to {difference:.1e}"


def plain_scores(model: Any, processor: Any, reference: ReferenceScores) -> Any:
    """Cosine similarities of the reference images and texts by a plain dual encoder, shape (I, T)."""
    import torch

    inputs = processor(text=reference.texts, images=reference.images, padding=True, return_tensors="pt")
    with torch.inference_mode():
        pixels = inputs.pop("pixel_values")
        images = model.get_image_features(pixel_values=pixels).pooler_output
        texts = model.get_text_features(**inputs).pooler_output
    return torch.nn.functional.normalize(images, dim=-1) @ torch.nn.functional.normalize(texts, dim=-1).T


def check_models(places: Mapping[str, str], base: str | None, tolerance: float, checks: Checks) -> None:
    """Load the three release forms by the classes that their users call."""
    import numpy as np
    import torch
    import transformers
    from peft import PeftModel
    from transformers import AutoConfig, AutoModel, AutoProcessor, pipeline

    reference = ReferenceScores(places["model"])

    def auto_model() -> str:
        model = AutoModel.from_pretrained(places["model"], trust_remote_code=True)
        return compare(model.score(reference.images, reference.texts), reference.scores, tolerance)

    def auto_processor() -> str:
        model = AutoModel.from_pretrained(places["model"], trust_remote_code=True)
        processor = AutoProcessor.from_pretrained(places["model"], trust_remote_code=True)
        inputs = processor(text=reference.texts, images=reference.images, padding=True, return_tensors="pt")
        with torch.inference_mode():
            logits = model(**inputs).logits_per_image
        logit_bias = getattr(model.backbone, "logit_bias", 0.0)
        return compare((logits - logit_bias) / model.logit_scale.exp(), reference.scores, tolerance)

    def zero_shot_pipeline() -> str:
        classify = pipeline(
            "zero-shot-image-classification", model=places["model"], trust_remote_code=True, device="cpu"
        )
        answers = classify(reference.images[0], candidate_labels=reference.texts, hypothesis_template="{}")
        best = reference.texts[int(np.argmax(reference.scores[0]))]
        if answers[0]["label"] != best:
            raise ValueError(f"answered {answers[0]['label']!r}, not {best!r}")
        return f"answered {best!r}, as the training run"

    def merged_backbone() -> str:
        name = AutoConfig.from_pretrained(places["backbone"], trust_remote_code=False).architectures[0]
        model = getattr(transformers, name).from_pretrained(places["backbone"], trust_remote_code=False)
        processor = AutoProcessor.from_pretrained(places["backbone"], backend="pil", trust_remote_code=False)
        return f"{name}, " + compare(plain_scores(model, processor, reference), reference.plain_scores, tolerance)

    def adapter() -> str:
        assert base is not None  # noqa: S101  # Else this check was not chosen.
        model = AutoModel.from_pretrained(base, dtype=torch.float32, trust_remote_code=False)
        model = PeftModel.from_pretrained(model, places["adapter"]).eval()
        processor = AutoProcessor.from_pretrained(base, backend="pil", trust_remote_code=False)
        return compare(plain_scores(model, processor, reference), reference.plain_scores, tolerance)

    checks.run("AutoModel.from_pretrained(…, trust_remote_code=True).score", auto_model)
    checks.run("AutoProcessor.from_pretrained, model(**inputs)", auto_processor)
    checks.run('pipeline("zero-shot-image-classification")', zero_shot_pipeline)
    checks.run("merged backbone by its own class", merged_backbone)
    if base is not None:
        checks.run("PeftModel.from_pretrained(backbone, adapter)", adapter)


# A text, what it denies, and what is left of it.
READINGS = (
    ("a beach with no people", ["people"], "a beach"),
    ("the cow whose head is not visible", ["head"], "the cow"),
    ("a man without a red hat", ["red hat"], "a man"),
)


def check_reader(reader: str, checks: Checks) -> None:
    """Read texts by both pipelines of notclip-reader."""
    from transformers import pipeline

    def token_classification() -> str:
        label: Any = pipeline(
            "token-classification", model=reader, trust_remote_code=True, device="cpu", aggregation_strategy="average"
        )
        for text, denied, _ in READINGS:
            spans = [(part["start"], part["end"]) for part in label(text) if part["entity_group"] == "denied"]
            if [text[start:end] for start, end in spans] != denied:
                raise ValueError(f"of {text!r} it labels {[text[start:end] for start, end in spans]} denied")
        return f"labels what {len(READINGS)} texts deny"

    def negation_scope() -> str:
        ours: Any = "negation-scope"  # which transformers' types do not know
        read: Any = pipeline(ours, model=reader, trust_remote_code=True, device="cpu")
        texts = (*READINGS, ("beach -people", ["people"], "beach"))
        for (text, denied, affirmed), found in zip(texts, read([text for text, *_ in texts]), strict=True):
            if (list(found["negated"]), found["affirmed"]) != (denied, affirmed):
                raise ValueError(f"{text!r} is read as {found['affirmed']!r} without {found['negated']}")
        return f"reads {len(texts)} texts, operators too"

    checks.run('pipeline("token-classification")', token_classification)
    checks.run('pipeline("negation-scope")', negation_scope)


def check_data(dataset: str, checks: Checks) -> None:
    """Load the dataset's configs by name, whole and streamed."""
    import datasets

    for config in datasets.get_dataset_config_names(dataset):

        def loaded(config: str = config) -> str:
            splits = datasets.load_dataset(dataset, config)
            return ", ".join(f"{name} {len(rows):,} rows" for name, rows in splits.items())

        def streamed(config: str = config) -> str:
            whole = datasets.load_dataset(dataset, config, split="test")
            stream = datasets.load_dataset(dataset, config, split="test", streaming=True)
            columns = [name for name, feature in whole.features.items() if not isinstance(feature, datasets.Image)]
            for number, row in enumerate(stream.take(3)):
                if {name: row[name] for name in columns} != {name: whole[number][name] for name in columns}:
                    raise ValueError(f"row {number} of the stream is not that of the whole split")
            return "the first rows are those of the whole split"

        checks.run(f'load_dataset(…, "{config}")', loaded)
        checks.run(f'load_dataset(…, "{config}", streaming=True)', streamed)


def check_metrics(places: Mapping[str, str], checks: Checks) -> None:
    """Load the metrics and compute what is known by hand."""
    import evaluate

    def negated_mcq() -> str:
        metric = evaluate.load(places["metrics/negated_mcq"])
        # A scorer that knows nothing, on answers that all stand first: the trap of the released files.
        accuracy = metric.compute(predictions=[[0.0] * 4] * 8, references=[0] * 8)["accuracy"]
        if accuracy != 0.25:
            raise ValueError(f"a constant scorer got {accuracy}, not 0.25")
        return "a constant scorer gets 0.25"

    def negated_retrieval() -> str:
        metric = evaluate.load(places["metrics/negated_retrieval"])
        result = metric.compute(predictions=[["a", "b"], ["a", "b"]], references=[["a"], ["b"]], ks=[1])
        if result["recall@1"] != 0.5:
            raise ValueError(f"recall@1 is {result['recall@1']}, not 0.5")
        return "recall@1 of one hit in two is 0.5"

    checks.run('evaluate.load("negated_mcq")', negated_mcq)
    checks.run('evaluate.load("negated_retrieval")', negated_retrieval)


def check_snapshots(repos: list[dict[str, Any]], checks: Checks) -> None:
    """Download each repository at its tag, and compare every byte with the manifest."""
    from huggingface_hub import snapshot_download

    for repo in repos:

        def downloaded(repo: dict[str, Any] = repo) -> str:
            folder = Path(snapshot_download(repo["repo_id"], repo_type=repo["repo_type"], revision=repo["tag"]))
            for name, expected in repo["files"].items():
                if hashlib.sha256((folder / name).read_bytes()).hexdigest() != expected["sha256"]:
                    raise ValueError(f"{name} is not what was staged")
            return f"{len(repo['files'])} files, as staged"

        checks.run(f"snapshot_download({repo['repo_id']!r}, revision={repo['tag']!r})", downloaded)


def check_space(space: Mapping[str, str], checks: Checks) -> None:
    """Ask a Space that runs, by the named endpoint that its visitors' programs call."""
    from gradio_client import Client  # type: ignore[import-untyped]

    def asked() -> str:
        found: Any
        expected: Any
        client = Client(space["address"], verbose=False)
        if space["folder"] == "metrics/negated_mcq":
            figures = client.predict("answer,score_0,score_1\n0,0.5,0.5\n", api_name="/compute")
            found, expected = figures["accuracy"], 0.5  # a tie is half right
        elif space["folder"] == "metrics/negated_retrieval":
            figures = client.predict("found,right\na b,b\n", "1 2", api_name="/compute")
            found, expected = [figures["recall@1"], figures["recall@2"]], [0, 1]
        else:
            answer = client.predict("a street with no cars", api_name="/search")
            if not answer["base"] or not answer["notclip"]:
                raise ValueError("the search found no photo")
            found, expected = answer["negated"], ["cars"]
        if found != expected:
            raise ValueError(f"answered {found}, not {expected}")
        return f"answered {found}, as expected"

    name = "/compute" if space["folder"].startswith("metrics/") else "/search"
    checks.run(f"Space {space['repo_id']}, {name}", asked)


def main() -> int:
    """Run the checks that the argument asks for."""
    sys.modules["notclip"] = None  # type: ignore[assignment]  # any import of it fails from here on
    given = json.loads(sys.argv[1])
    checks = Checks()
    places: Mapping[str, str] = given.get("places", {})
    parts: dict[str, Callable[[], None]] = {
        "models": lambda: check_models(places, given["base"], given["tolerance"], checks),
        "reader": lambda: check_reader(places["reader"], checks),
        "data": lambda: check_data(places["dataset"], checks),
        "metrics": lambda: check_metrics(places, checks),
        "snapshots": lambda: check_snapshots(given["repos"], checks),
        "space": lambda: check_space(given["space"], checks),
    }
    for part in given["parts"]:
        try:
            parts[part]()
        except Exception as error:  # What is so broken that none of its checks could begin.
            checks.fell(part, error)
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
