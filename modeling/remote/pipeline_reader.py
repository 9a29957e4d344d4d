"""What texts deny, by a pipeline of transformers: the whole reader, from the files of notclip-reader alone.

    read = pipeline("negation-scope", "…/notclip-reader", trust_remote_code=True)
    read("a beach with no people")  # {'affirmed': 'a beach', 'negated': ('people',), 'kind': 'hybrid', …}

It reads operators, languages and clauses as `read_scope` does. `pipeline("token-classification")` gives the labels of
the same network, and knows none of these.
"""

from copy import deepcopy
from typing import Any

from transformers import Pipeline

from .negation_scope import read_scopes
from .reading_tagger import Tagger


class NegationScopePipeline(Pipeline):
    """Reads a text, or each of a list or dataset, into what it affirms and what it denies.

    Called with texts and, to read a hyphen as a hyphen, `operators=False`. Gives for each text the fields of
    [`NegationScope`]: `affirmed`, `negated`, `kind`, `language`, and character spans (start, end) of the text in
    `spans` (denied), `cue_spans` and `affirmed_spans`.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        model: Any = self.model
        tokenizer: Any = self.tokenizer
        places = tokenizer.get_vocab()
        # Not where the pipeline put the model: a network of this size is run faster by a processor.
        network = deepcopy(model.tagger).float().cpu()
        self._tagger = Tagger(network, sorted(places, key=places.__getitem__))

    def _sanitize_parameters(self, **options: Any) -> tuple[dict, dict, dict]:
        if unknown := options.keys() - {"operators"}:
            raise TypeError(f"The pipeline takes `operators` alone beside texts, got {', '.join(sorted(unknown))}.")
        return {}, options, {}

    def preprocess(self, input_: Any, **options: Any) -> Any:
        """A text on its way to `_forward`."""
        if not isinstance(input_, str):
            raise ValueError(f"Each text must be a str, got {type(input_).__name__}.")
        return {"text": input_}

    def _forward(self, input_tensors: dict[str, Any], **options: Any) -> Any:
        texts = input_tensors["text"]  # a list where the pipeline was called with a `batch_size`
        texts = [texts] if isinstance(texts, str) else texts
        return {"scopes": read_scopes(texts, tagger=self._tagger, **options)}

    def postprocess(self, model_outputs: Any, **options: Any) -> dict[str, Any]:
        """The fields of a reading."""
        scopes = model_outputs["scopes"]
        scope = scopes[0] if isinstance(scopes, list) else scopes
        fields = ("affirmed", "negated", "kind", "language", "spans", "cue_spans", "affirmed_spans")
        return {field: getattr(scope, field) for field in fields}


__all__ = ["NegationScopePipeline"]
