"""What a user of a release does, as a program of its own that must run without this package.

`notclip check-release` starts it in a fresh process. It blocks `import notclip`, so that only what stands in the
staged folder is used.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image


class Probe:
    """Images and texts that the training run scored, with its scores: `release_probe.json`."""

    def __init__(self, file: Path):
        content = json.loads(file.read_text(encoding="utf-8"))
        self.texts: list[str] = content["texts"]
        self.scores: list[list[float]] = content["scores"]
        self.plain_scores: list[list[float]] = content["plain_scores"]
        pixels = [Image.fromarray(np.array(image, dtype=np.uint8)) for image in content["images"]]
        self.images = [image.resize((96, 96), Image.Resampling.NEAREST) for image in pixels]


class Checks:
    """Runs checks one after the other, says how each went, and remembers whether all passed."""

    def __init__(self) -> None:
        self.failed = 0

    def run(self, what: str, check: Callable[[], str]) -> None:
        """Run one check; it returns a few words on what it saw, or raises."""
        try:
            print(f"  ok      {what}: {check()}", flush=True)  # noqa: T201
        except Exception as error:
            self.failed += 1
            print(f"  FAILED  {what}: {type(error).__name__}: {error}", flush=True)  # noqa: T201


def compare(scores: torch.Tensor, expected: list[list[float]], tolerance: float) -> str:
    """Say how far scores are from the training run's, or raise when it is too far."""
    difference = (scores - torch.tensor(expected)).abs().max().item()
    if not difference <= tolerance:
        raise ValueError(f"scores differ by {difference:.2e}, more than {tolerance:.0e}")
    return f"scores equal the training run's to {difference:.1e}"


def plain_scores(model: Any, processor: Any, probe: Probe) -> torch.Tensor:
    """Cosine similarities of the probe images and texts by a plain dual encoder, shape (I, T)."""
    inputs = processor(text=probe.texts, images=probe.images, padding=True, return_tensors="pt")
    with torch.inference_mode():
        pixels = inputs.pop("pixel_values")
        images = model.get_image_features(pixel_values=pixels).pooler_output
        texts = model.get_text_features(**inputs).pooler_output
    return torch.nn.functional.normalize(images, dim=-1) @ torch.nn.functional.normalize(texts, dim=-1).T


def check_models(release: Path, base: str, tolerance: float, checks: Checks) -> None:
    """Load the three release forms by the classes that their users call."""
    import transformers
    from peft import PeftModel
    from transformers import AutoConfig, AutoModel, AutoProcessor, pipeline

    probe = Probe(release / "model" / "release_probe.json")

    def auto_model() -> str:
        model = AutoModel.from_pretrained(release / "model", trust_remote_code=True)
        return compare(model.score(probe.images, probe.texts), probe.scores, tolerance)

    def auto_processor() -> str:
        model = AutoModel.from_pretrained(release / "model", trust_remote_code=True)
        processor = AutoProcessor.from_pretrained(release / "model", trust_remote_code=True)
        inputs = processor(text=probe.texts, images=probe.images, padding=True, return_tensors="pt")
        with torch.inference_mode():
            logits = model(**inputs).logits_per_image
        logit_bias = getattr(model.backbone, "logit_bias", 0.0)
        return compare((logits - logit_bias) / model.logit_scale.exp(), probe.scores, tolerance)

    def zero_shot_pipeline() -> str:
        classify = pipeline(
            "zero-shot-image-classification", model=str(release / "model"), trust_remote_code=True, device="cpu"
        )
        answers = classify(probe.images[0], candidate_labels=probe.texts, hypothesis_template="{}")
        best = probe.texts[int(np.argmax(probe.scores[0]))]
        if answers[0]["label"] != best:
            raise ValueError(f"answered {answers[0]['label']!r}, not {best!r}")
        return f"answered {best!r}, as the training run"

    def merged_backbone() -> str:
        name = AutoConfig.from_pretrained(release / "backbone").architectures[0]
        model = getattr(transformers, name).from_pretrained(release / "backbone")
        processor = AutoProcessor.from_pretrained(release / "backbone", backend="pil")
        return f"{name}, " + compare(plain_scores(model, processor, probe), probe.plain_scores, tolerance)

    def adapter() -> str:
        config = json.loads((release / "adapter" / "adapter_config.json").read_text())
        staged = release / "base"
        where = base or (staged if staged.is_dir() else config["base_model_name_or_path"])
        model = AutoModel.from_pretrained(where, dtype=torch.float32)
        model = PeftModel.from_pretrained(model, release / "adapter").eval()
        processor = AutoProcessor.from_pretrained(where, backend="pil")
        return compare(plain_scores(model, processor, probe), probe.plain_scores, tolerance)

    checks.run("AutoModel.from_pretrained(…, trust_remote_code=True).score", auto_model)
    checks.run("AutoProcessor.from_pretrained, model(**inputs)", auto_processor)
    checks.run('pipeline("zero-shot-image-classification")', zero_shot_pipeline)
    checks.run("merged backbone by its own class", merged_backbone)
    checks.run("PeftModel.from_pretrained(backbone, adapter)", adapter)


def check_data_and_metrics(release: Path, checks: Checks) -> None:
    """Load the dataset's configs and the metrics by name."""
    import datasets
    import evaluate

    for config in datasets.get_dataset_config_names(str(release / "dataset")):

        def loaded(config: str = config) -> str:
            splits = datasets.load_dataset(str(release / "dataset"), config)
            return ", ".join(f"{name} {len(rows):,} rows" for name, rows in splits.items())

        checks.run(f'load_dataset(…, "{config}")', loaded)

    def negated_mcq() -> str:
        metric = evaluate.load(str(release / "metrics" / "negated_mcq"))
        # A scorer that knows nothing, on answers that all stand first: the trap of the released files.
        accuracy = metric.compute(predictions=[[0.0] * 4] * 8, references=[0] * 8)["accuracy"]
        if accuracy != 0.25:
            raise ValueError(f"a constant scorer got {accuracy}, not 0.25")
        return "a constant scorer gets 0.25"

    def negated_retrieval() -> str:
        metric = evaluate.load(str(release / "metrics" / "negated_retrieval"))
        result = metric.compute(predictions=[["a", "b"], ["a", "b"]], references=[["a"], ["b"]], ks=[1])
        if result["recall@1"] != 0.5:
            raise ValueError(f"recall@1 is {result['recall@1']}, not 0.5")
        return "recall@1 of one hit in two is 0.5"

    checks.run('evaluate.load("negated_mcq")', negated_mcq)
    checks.run('evaluate.load("negated_retrieval")', negated_retrieval)


def main() -> int:
    """Run all checks on the release named by the first argument."""
    sys.modules["notclip"] = None  # type: ignore[assignment]  # any import of it fails from here on
    release, base, tolerance = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    checks = Checks()
    check_models(release, base, tolerance, checks)
    check_data_and_metrics(release, checks)
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
