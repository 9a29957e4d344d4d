"""Cards: complete, valid for the Hub, with numbers from the results alone and code that a reader can paste."""

import ast
import json
import re

import jinja2
import pytest
from huggingface_hub import DatasetCard, ModelCard
from PIL import Image

from notclip.hub_cards.cards.figures import draw_accuracy_by_kind
from notclip.hub_cards.cards.render import render
from notclip.hub_cards.staging.stage import stage_release
from notclip.scoring.report.number_format import count, percent
from notclip.scoring.results import Results

CARDS = ("model", "backbone", "adapter", "base", "dataset", "metrics/negated_mcq", "metrics/negated_retrieval")
# Names of metrics and of the confidence level; everything else must have been measured.
WORDS = r"recall@\d+|Recall@\d+|violation@\d+|Violation@\d+|R@\d+|95 %|0 is unbiased"


def numbers_in(content):
    """Every number of some JSON, in each form in which a card may show it."""
    if isinstance(content, dict | list):
        for value in content.values() if isinstance(content, dict) else content:
            yield from numbers_in(value)
    elif isinstance(content, int | float) and not isinstance(content, bool):
        yield from (percent(content).lstrip("−"), f"{100 * content:.2f}", str(content))
        if content == int(content):
            yield count(content)


def test_every_number_on_a_card_was_measured_or_recorded(stage):
    files = ("train/training.json", "data/build.json", "base.json", "backbone.json", "notclip.json")
    contents = [json.loads((stage.parent / file).read_text()) for file in files]
    known = {number for content in contents for number in numbers_in(content)}
    known.add("9")  # The images of all splits.
    for metric in ("macro_accuracy", "recall@5", "negated_recall@5", "violation@5"):
        base, backbone, notclip = (content["metrics"][metric] for content in contents[2:])
        steps = (backbone - base, notclip - backbone, notclip - base)
        known |= {percent(abs(step)) for step in steps}
    for card in CARDS[:5]:
        text = (stage / card / "README.md").read_text().split("---\n", 2)[2].split("## Citation")[0]
        text = re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)|" + WORDS, " ", text, flags=re.DOTALL)
        text = re.sub(r"[A-Za-z][\w.-]*[\d.]+[\w.-]*| \d+\.\d+\.\d+", " ", text)  # Names and versions.
        shown = re.findall(r"\d[\d,]*(?:\.\d+)?", text)
        assert [number for number in shown if number.rstrip(",") not in known] == [], card


def test_a_number_that_changes_in_the_results_changes_on_the_card(inputs):
    stage_release(inputs.config())
    row = "| … hybrid | 11.1 [8.1, 14.1] | 32.2 [29.2, 35.2] | 63.3 [60.3, 66.3] |"
    assert row in (inputs.folder / "hub" / "model" / "README.md").read_text()
    file = inputs.folder / "notclip.json"
    file.write_text(file.read_text().replace('"hybrid": 0.6333', '"hybrid": 0.6111'))
    stage_release(inputs.config(overwrite=True))
    text = (inputs.folder / "hub" / "model" / "README.md").read_text()
    assert row not in text
    assert "61.1 [60.3, 66.3] |" in text


def test_front_matter_of_models_is_what_the_hub_reads(stage):
    model = ModelCard.load(stage / "model" / "README.md").data
    assert model.base_model == "ann/tiny-clip-base"
    assert model.datasets == ["ann/tiny-clip-data"]
    assert model.pipeline_tag == "zero-shot-image-classification"
    results = {result.metric_name: result.metric_value for result in model.eval_results}
    assert results["Macro accuracy on questions"] == 0.8333
    adapter = ModelCard.load(stage / "adapter" / "README.md").data
    assert adapter.library_name == "peft"
    assert adapter.base_model_relation == "adapter"
    scored = {result.metric_name: result.metric_value for result in adapter.eval_results}
    assert scored["Macro accuracy on questions"] == 0.5222  # The plain model's, not that of the composition.


def test_front_matter_of_the_dataset_names_the_file_of_each_split(stage):
    data = DatasetCard.load(stage / "dataset" / "README.md").data
    assert data.license == "apache-2.0"
    configs = {config["config_name"]: config["data_files"] for config in data.configs}
    assert list(configs) == ["captions", "questions", "pairs", "retrieval"]
    for files in configs.values():
        assert all((stage / "dataset" / file["path"]).is_file() for file in files)


def test_a_metrics_front_matter_is_kept_and_its_scores_are_added(stage):
    text = (stage / "metrics" / "negated_retrieval" / "README.md").read_text()
    assert text.startswith("---\ntitle: ")
    assert "\nsdk: gradio\n" in text
    assert "| Recall@5, negated queries | 15.6 [13.6, 17.6] |" in text


@pytest.mark.parametrize("card", CARDS)
def test_the_code_on_a_card_can_be_pasted_and_its_pictures_are_there(stage, card):
    text = (stage / card / "README.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert blocks
    for block in blocks:
        ast.parse("".join(re.findall(r"^(?:>>>|\.\.\.) ?(.*\n)", block, flags=re.MULTILINE)) or block)
        assert max(map(len, block.splitlines())) <= 119
    for picture in re.findall(r"!\[.+?\]\((.+?)\)", text):
        assert (stage / card / picture).is_file()
    assert "{{" not in text.replace("{{The NotCLIP authors}}", "")
    assert "\n\n\n" not in text


def test_a_misspelt_fact_in_a_template_is_an_error():
    with pytest.raises(jinja2.UndefinedError):
        render("citation.md", {"version": {}})


def test_siglip_is_shown_with_the_padding_it_was_trained_with(inputs):
    config = inputs.folder / "train" / "backbone" / "config.json"
    config.write_text(json.dumps({"model_type": "siglip", "architectures": ["SiglipModel"]}))
    stage_release(inputs.config())
    text = (inputs.folder / "hub" / "backbone" / "README.md").read_text()
    assert "from transformers import AutoProcessor, SiglipModel" in text
    assert 'padding="max_length"' in text


def test_another_suite_gets_a_table_of_what_it_measures(inputs):
    extra = []
    for role, file in zip(("base", "backbone", "notclip"), inputs.config().results, strict=True):
        content = json.loads(file.read_text()) | {"suite": "VOC2007_mcq.csv"}
        content["provenance"]["data"] = {"VOC2007_mcq.csv": "0" * 64}
        for part in ("metrics", "confidence_intervals"):
            content[part] = {name: v for name, v in content[part].items() if "@" not in name}
        extra.append(inputs.folder / f"voc-{role}.json")
        extra[-1].write_text(json.dumps(content))
    stage_release(inputs.config(results=(*extra, *inputs.config().results)))
    text = (inputs.folder / "hub" / "model" / "README.md").read_text()
    own, other = text.split("### On VOC2007_mcq.csv")
    assert "Recall@5, negated queries" in own
    assert "Questions: macro accuracy" in other
    assert "Recall@5, negated queries" not in other


def test_a_figure_is_wide_enough_to_read_and_not_empty(inputs):
    scored = {role: Results.read(file) for role, file in zip("ab", inputs.config().results, strict=False)}
    draw_accuracy_by_kind(scored, inputs.folder / "by_kind.png")
    image = Image.open(inputs.folder / "by_kind.png").convert("RGB")
    assert image.width >= 1000
    colours = {colour for _, colour in image.getcolors(maxcolors=1 << 20)}
    assert {(153, 153, 153), (230, 159, 0), (250, 250, 250)} <= colours


def test_the_card_of_a_dataset_says_how_many_captions_a_language_model_worded(inputs):
    record = inputs.folder / "data" / "build.json"
    said = {
        "model": "some/llm",
        "captions": 4321,
        "accepted": 4210,
        "fell_back": 111,
        "rejected_answers": {"absence": 77},
    }
    record.write_text(json.dumps(json.loads(record.read_text()) | {"llm": said}))
    stage_release(inputs.config())
    card = " ".join((inputs.folder / "hub" / "dataset" / "README.md").read_text().split())
    assert "some/llm says it again" in card
    assert "Of 4,321 captions 4,210 are the model's. In 111 no answer passed" in card
    assert "by reason: *absence* 77. Captions of the model bear" in card


def test_the_card_of_a_dataset_of_the_grammar_alone_names_no_language_model(stage):
    assert "Whose words" not in (stage / "dataset" / "README.md").read_text()


def test_the_parts_of_the_gain_stand_apart_and_sum_to_it(stage):
    card = (stage / "model" / "README.md").read_text()
    assert "| Questions: macro accuracy | +21.1 | +31.1 | +52.2 |" in card
    assert "| Violation@5 (lower is better) | −21.1 | −31.1 | −52.2 |" in card


def test_the_recipe_names_class_prompts_where_a_detector_taught_them(inputs, stage):
    assert "classes (weight" not in (stage / "model" / "README.md").read_text()
    file = inputs.folder / "train" / "training.json"
    file.write_text(file.read_text().replace('"seen_classes": 0', '"seen_classes": 80'))
    stage_release(inputs.config())
    said = (inputs.folder / "hub" / "model" / "README.md").read_text()
    assert "Beside it the prompts of 80 classes (weight\n4.0) learn" in said


def test_an_adapter_that_learnt_nothing_says_so(inputs):
    file = inputs.folder / "train" / "training.json"
    file.write_text(file.read_text().replace('"chosen_epoch": 2', '"chosen_epoch": 0'))
    stage_release(inputs.config())
    cards = {
        form: (inputs.folder / "hub" / form / "README.md").read_text() for form in ("model", "adapter", "backbone")
    }
    assert "**the\nadapter is as it began and changes nothing**" in cards["model"]
    assert "this adapter is as it began and\nchanges nothing.**" in cards["adapter"]
    assert "these weights score as the base's.**" in cards["backbone"]


def test_a_trained_image_tower_is_told_wherever_an_index_of_the_base_is_spoken_of(inputs):
    def cards():
        stage_release(inputs.config(overwrite=True))
        forms = ("model", "adapter", "backbone")
        return {form: (inputs.folder / "hub" / form / "README.md").read_text() for form in forms}

    text_alone = cards()
    assert "need not be built again" in text_alone["adapter"] and "made serves it as it is" in text_alone["model"]
    file = inputs.folder / "train" / "training.json"
    training = json.loads(file.read_text())
    training["config"] |= {"towers": "both", "variant": "full"}
    file.write_text(json.dumps(training | {"trained_towers": ["text", "image"]}))
    both = cards()
    assert "**an index of image embeddings that the base made must be built again**" in both["adapter"]
    assert "**An index of image embeddings that the base made does not serve it**" in both["backbone"]
    assert "made does not serve it**" in both["model"]
    assert "with all weights of both towers trained" in " ".join(both["model"].split())
    assert "lora" not in both["adapter"].split("---")[1]


def test_each_card_says_how_to_cite_what_it_describes(stage):
    for card, url in (("model", "https://huggingface.co/ann/tiny-clip"), ("dataset", "datasets/ann/tiny-clip-data")):
        text = (stage / card / "README.md").read_text().split("## Citation")[1]
        assert text.count("{") == text.count("}")
        assert f"{url}}}" in text
