"""Run by a test under torchrun: writes the gradients of one training step, averaged over the processes.

python gradients_of_one_step.py BASE DATA OUT.safetensors
"""

import os
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import distributed

from notclip.loading import load_model
from notclip.training.config import TrainConfig
from notclip.training.data import read_training_split
from notclip.training.lora import add_lora
from notclip.training.trainer import BatchPlan, Learner, average_gradients, training_loss

base, data, out = sys.argv[1:]
world_size = int(os.environ.get("WORLD_SIZE", "1"))
rank = int(os.environ.get("RANK", "0"))
if world_size > 1:
    distributed.init_process_group("gloo")
split = read_training_split(Path(data), "train")
model = load_model(base, composition="scope").double()
torch.manual_seed(0)
model.backbone = add_lora(model.backbone, rank=2, alpha=4)
for name, parameter in model.named_parameters():
    if "lora_B" in name:
        torch.nn.init.normal_(parameter, std=0.1)
learner = Learner(model).double()
embeds = torch.nn.functional.normalize(
    torch.randn(len(split.image_bytes), model.config.embedding_dim, dtype=torch.double), dim=-1
)
config = TrainConfig(base=base, data=Path(data), out=Path(out), batch_images=6, batch_questions=12)
batch = next(BatchPlan(split, config, rank=rank, world_size=world_size).batches(0))
training_loss(learner, batch, embeds, config).backward()
average_gradients(learner, world_size)
if rank == 0:
    save_file({name: p.grad for name, p in learner.named_parameters() if p.grad is not None}, out)
if world_size > 1:
    distributed.destroy_process_group()
