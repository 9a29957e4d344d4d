"""Run by a test under torchrun: writes the gradients of the trainer's first steps, as its optimizer gets them.

A batch of two images, so that at some step one of two processes has a caption that denies and the other has none.

python gradients_of_some_steps.py BASE DATA OUT.safetensors TOWERS
"""

import os
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import TrainerCallback

from notclip.loading import load_model
from notclip.training.arguments import NegationTrainingArguments
from notclip.training.batches import NegationDataset
from notclip.training.data import read_training_split
from notclip.training.lora import add_lora
from notclip.training.photos import PhotoReader
from notclip.training.trainer import NegationTrainer

base, data, out, towers = sys.argv[1:]
world_size = int(os.environ.get("WORLD_SIZE", "1"))
rank = int(os.environ.get("RANK", "0"))
split = read_training_split(Path(data), "train")
model = load_model(base, composition="scope").double()
torch.manual_seed(0)
model.backbone = add_lora(model.backbone, rank=2, alpha=4, towers=towers)
for name, parameter in model.named_parameters():
    if "lora_B" in name:
        torch.nn.init.normal_(parameter, std=0.1)
embeds = torch.nn.functional.normalize(
    torch.randn(len(split.image_bytes), model.config.embedding_dim, dtype=torch.double), dim=-1
)


gradients = {}


class NoteGradients(TrainerCallback):
    """Notes what the optimizer is about to take."""

    def on_pre_optimizer_step(self, args, state, control, **kwargs):
        """Of each step."""
        for name, parameter in trainer.model.named_parameters():
            if parameter.requires_grad:
                gradients[f"{state.global_step} {name}"] = parameter.grad.clone()


arguments = NegationTrainingArguments(
    output_dir=f"{out}.state",
    use_cpu=True,
    per_device_train_batch_size=2 // world_size,
    per_device_train_questions=12 // world_size,
    max_steps=4,
    optim="sgd",
    eval_strategy="no",
    save_strategy="no",
    eval_on_start=False,
    load_best_model_at_end=False,
    disable_tqdm=True,
)
photos = None if towers == "text" else PhotoReader(split, model.processor.image_processor)
dataset = NegationDataset(split, embeds, photos=photos)
trainer = NegationTrainer(model, arguments, train_dataset=dataset, eval_dataset=dataset, callbacks=[NoteGradients()])
trainer.model.double()
trainer.train()
if rank == 0:
    save_file(gradients, out)
trainer.accelerator.end_training()
