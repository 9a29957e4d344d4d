"""`--trainer torch_compile=true`: the towers are compiled, and learn what they learn otherwise."""

import dataclasses

import pytest
import torch
from safetensors.torch import load_file
from torch._dynamo.utils import counters
from torch._inductor.exc import InvalidCxxCompiler

from notclip.errors import BadInputError
from notclip.training.run import run_training


@pytest.fixture(autouse=True)
def nothing_compiled_before():
    torch.compiler.reset()
    counters.clear()


def test_towers_that_are_compiled_learn_the_same_and_once_for_texts_of_any_length(config, tmp_path):
    run_training(config)
    compiled = dataclasses.replace(config, out=tmp_path / "compiled", trainer=("torch_compile_backend=eager",))
    run_training(compiled)
    assert 0 < counters["stats"]["unique_graphs"] <= 4
    plain, same = (load_file(own.out / "adapter" / "adapter_model.safetensors") for own in (config, compiled))
    for name, weights in plain.items():
        torch.testing.assert_close(same[name], weights, atol=1e-5, rtol=1e-4)


def test_a_machine_without_a_compiler_is_told_so(config, monkeypatch):
    def compiled(features, **_):
        def fail(**inputs):
            raise InvalidCxxCompiler

        return fail

    monkeypatch.setattr(torch, "compile", compiled)
    with pytest.raises(BadInputError, match="torch_compile"):
        run_training(dataclasses.replace(config, trainer=("torch_compile=true",)))


def test_a_compiler_that_there_is_not_is_refused(config):
    with pytest.raises(BadInputError, match="torch_compile_backend"):
        run_training(dataclasses.replace(config, trainer=("torch_compile_backend=indoctor",)))
