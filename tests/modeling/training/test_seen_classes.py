import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from notclip.errors import BadInputError
from notclip.training import seen_classes
from notclip.training.seen_classes import FILE, ClassPromptLesson, measure_seen_classes, read_seen_classes

DOGS, CARS = ["a dog", "dog", "dogs"], ["a car", "car", "cars"]


@pytest.fixture
def photos():
    """300 photos; how likely one shows a dog or a car follows the first two coordinates of its embedding."""
    generator = torch.Generator().manual_seed(0)
    embeds = torch.nn.functional.normalize(torch.randn(300, 6, generator=generator), dim=-1)
    return embeds, torch.sigmoid(3 * embeds[:, :2] - 3)


def slow_agreement(text: torch.Tensor, log_scores: torch.Tensor, embeds: torch.Tensor) -> float:
    """Correlation of one text's similarities with one series of log scores, over all photos."""
    return float(np.corrcoef((embeds @ text).numpy(), log_scores.numpy())[0, 1])


def test_agreement_is_the_correlation_over_photos_of_similarity_and_summed_log_scores(photos):
    embeds, scores = photos
    classes = measure_seen_classes([DOGS, CARS], scores, embeds)
    texts = torch.nn.functional.normalize(torch.randn(3, 6, generator=torch.Generator().manual_seed(1)), dim=-1)
    logs = (scores.log() - scores.log().mean(0)) / scores.log().std(0, correction=0)
    expected = [slow_agreement(text, said, embeds) for text, said in zip(texts, (*logs.T, logs.sum(1)), strict=True)]
    names = torch.tensor([[1.0, 0], [0, 1], [1, 1]])
    torch.testing.assert_close(classes.agreement(texts, names), torch.tensor(expected), atol=1e-5, rtol=1e-5)


def test_a_class_that_no_score_tells_apart_is_left_out(photos):
    embeds, scores = photos
    classes = measure_seen_classes([DOGS, CARS], torch.stack([scores[:, 0], torch.zeros(300)], 1), embeds)
    assert classes.texts == [DOGS]
    assert measure_seen_classes([CARS], torch.zeros(300, 1), embeds) is None


def test_every_class_is_named_as_often_and_prompts_follow_the_seed(photos):
    embeds, scores = photos
    classes = measure_seen_classes([DOGS, CARS], scores, embeds)
    drawn, again = (classes.draw(40, np.random.default_rng(3)) for _ in range(2))
    assert drawn.texts == again.texts
    for text, names in zip(drawn.texts, drawn.names, strict=True):
        assert ("dog" in text, "car" in text) == tuple(names.bool().tolist())
    assert any(" and " in text for text in drawn.texts)


class ToyTexts:
    """Stands for a model: two directions that learn, one for texts of dogs, one for all others."""

    def __init__(self):
        self.directions = torch.randn(2, 6, generator=torch.Generator().manual_seed(2)).requires_grad_()

    def encode_texts(self, texts, *, batch_size):
        rows = [0 if "dog" in text else 1 for text in texts]
        return torch.nn.functional.normalize(self.directions[rows], dim=-1)


def test_what_learns_by_the_lesson_comes_to_order_photos_as_the_detector_does_and_keeps_its_level(photos, monkeypatch):
    embeds, scores = photos
    embeds = torch.nn.functional.normalize(embeds + 0.1, dim=-1)
    classes = measure_seen_classes([DOGS], scores[:, :1], embeds)
    model, lesson = ToyTexts(), ClassPromptLesson(classes, weight=2.0, count=4, seed=0)
    held = model.encode_texts(["a dog"], batch_size=1).detach()
    monkeypatch.setattr(seen_classes, "backbone_embeds", lambda model, texts, **_: held.expand(len(texts), -1))
    optimizer = torch.optim.Adam([model.directions], lr=0.1)
    for step in range(60):
        optimizer.zero_grad()
        lesson.loss(model, step).backward()
        optimizer.step()
    learnt = torch.nn.functional.normalize(model.directions[0].detach(), dim=-1)
    before, after = embeds @ held[0], embeds @ learnt
    assert slow_agreement(learnt, scores[:, 0].log(), embeds) > 0.85
    assert abs(after.mean() - before.mean()) < 0.15 * before.std()
    assert 0.85 < after.std() / before.std() < 1.15


def write_seen(folder, digests, scores, metadata):
    (folder / FILE).parent.mkdir(parents=True)
    schema = pa.schema([("digest", pa.string()), pa.field("dog", pa.float32(), metadata=metadata)])
    pq.write_table(pa.table([digests, scores], schema=schema), folder / FILE)


def test_scores_are_found_by_the_photos_bytes_in_whatever_order_and_part(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(seen_classes, "ROWS_AT_ONCE", 70)
    embeds, scores = photos
    digests = [hashlib.sha256(bytes([i % 256, i // 256])).digest() for i in range(300)]
    order = np.random.default_rng(0).permutation(300)
    write_seen(
        tmp_path,
        [digests[i].hex() for i in order],
        scores[:, 0].numpy()[order],
        {"texts": '["a dog", "dog"]'},
    )
    read = read_seen_classes(tmp_path, digests, embeds)
    assert read.texts == [["a dog", "dog"]]
    expected = measure_seen_classes([DOGS], scores[:, :1], embeds)
    torch.testing.assert_close(read.directions, expected.directions)


def test_data_built_without_a_detector_teach_no_classes(photos, tmp_path):
    assert read_seen_classes(tmp_path, [b""] * 300, photos[0]) is None


@pytest.mark.parametrize("metadata", [None, {"texts": "[]"}, {"texts": "no JSON"}, {"texts": '{"a": 1}'}])
def test_a_class_that_has_no_words_is_refused_by_name(photos, tmp_path, metadata):
    write_seen(tmp_path, ["00", "01"], [0.1, 0.2], metadata)
    with pytest.raises(BadInputError, match=r"column 'dog' does not list under `texts`.*build the dataset again"):
        read_seen_classes(tmp_path, [b"\x00", b"\x01"], photos[0][:2])


@pytest.mark.parametrize("score", [None, float("nan"), -0.1, 1e30])
def test_a_score_that_is_no_probability_is_refused_with_its_row(photos, tmp_path, score, monkeypatch):
    monkeypatch.setattr(seen_classes, "ROWS_AT_ONCE", 1)
    write_seen(tmp_path, ["00", "01"], [0.1, score], {"texts": '["a dog"]'})
    with pytest.raises(BadInputError, match=r"train.parquet, row 2: 'dog' .*score between 0 and 1"):
        read_seen_classes(tmp_path, [b"\x00", b"\x01"], photos[0][:2])
