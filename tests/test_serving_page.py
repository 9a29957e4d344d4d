"""docs/serving.md, each block as printed, by a user without this package, on drawn scenes."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from notclip import NotClipModel
from notclip.recaption.drawn_world.samples import make_sample

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(
    r"```python\n(.*?)```", (ROOT / "docs" / "serving.md").read_text(encoding="utf-8"), flags=re.DOTALL
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with photos, a NotCLIP model and a merged backbone, as the page has them."""
    folder = tmp_path_factory.mktemp("serving")
    encoder = ROOT / "recaption" / "drawn_world" / "encoder"
    NotClipModel.from_backbone(str(encoder)).save_pretrained(folder / "model")
    shutil.copytree(encoder, folder / "backbone")
    (folder / "photos").mkdir()
    for number in range(6):
        make_sample(0, "test", number).picture(128).save(folder / "photos" / f"{number}.png")
    return folder


def run(folder, blocks):
    """What the blocks print, one after the other in one process."""
    code = "import sys; sys.modules['notclip'] = None\n" + "\n".join(blocks)
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_index_finds_what_the_model_ranks_first(folder):
    pytest.importorskip("faiss")
    index, search, compare, *_ = BLOCKS
    ranking = """
        assert [files[row] for row in rows[0]] == [files[row] for row in model.score(
            [Image.open(file) for file in files], [query])[:, 0].argsort(descending=True)[:3]]
        assert model.encode_query("a beach")[1] == 0
    """
    printed = run(folder, [index, search, compare, "if True:" + ranking])
    scores = [float(line.split()[0]) for line in printed.splitlines()]
    assert len(scores) == 3 and scores == sorted(scores, reverse=True)


OPENING = "from pathlib import Path\nfrom PIL import Image\nfiles = sorted(Path('photos').glob('*.png'))"


def test_sentence_transformers_gives_the_scores_of_the_model_and_runs_no_code_of_it_unasked(folder):
    pytest.importorskip("sentence_transformers")
    *_, encode, _ = BLOCKS
    same = """
import torch
from sentence_transformers.util import semantic_search
from transformers import AutoModel
model = AutoModel.from_pretrained("model", trust_remote_code=True)
photos, queries = [Image.open(file) for file in files], ["a beach", "a beach with no people", "no dog"]
scores = model.score(photos, queries)
assert model.encode_query("no dog")[1] != 0
torch.testing.assert_close(encoder.similarity(encoder.encode(photos), encoder.encode(queries)), scores)
for found, column in zip(semantic_search(encoder.encode(queries), encoder.encode(photos)), scores.T):
    assert [hit["corpus_id"] for hit in found] == column.argsort(descending=True).tolist()
for form in (str(files[0]), {"image": photos[0]}):  # the name of a file is the photo, as for the merged backbone
    torch.testing.assert_close(encoder.encode([form]), encoder.encode(photos[:1]))
torch.testing.assert_close(encoder.encode([{"text": "no dog"}]), encoder.encode(["no dog"]))
try:
    SentenceTransformer("model")
except ValueError as error:
    assert "trust_remote_code=True" in str(error)
else:
    raise AssertionError("it ran the model's code")
encoder.save("saved")
plain = SentenceTransformer("saved", trust_remote_code=True, truncate_dim=model.config.embedding_dim)
torch.testing.assert_close(plain.encode(photos, convert_to_tensor=True), model.encode_images(photos))
torch.testing.assert_close(plain.encode("no dog", convert_to_tensor=True), model.encode_query("no dog")[0])
"""
    assert run(folder, [OPENING, encode, same]).startswith("tensor([[")


def test_sentence_transformers_encodes_with_the_merged_backbone_as_transformers_does(folder):
    pytest.importorskip("sentence_transformers")
    *_, encode = BLOCKS
    same = """
import torch
from transformers import AutoModel, AutoProcessor
inputs = AutoProcessor.from_pretrained("backbone")(
    text=["a beach", "a beach with no people"], images=[*map(Image.open, files)], padding=True, return_tensors="pt"
)
with torch.inference_mode():
    outputs = AutoModel.from_pretrained("backbone").eval()(**inputs)
torch.testing.assert_close(encoder.similarity(images, texts), outputs.image_embeds @ outputs.text_embeds.T)
"""
    assert run(folder, [OPENING, encode, same]).startswith("tensor([[")
