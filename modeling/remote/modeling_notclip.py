"""NotCLIP: any dual encoder of transformers, called as CLIP is, that reads what a caption excludes.

    model = NotClipModel.from_pretrained("…")           # or NotClipModel.from_backbone("openai/clip-vit-base-patch32")
    model.score(images, ["a street", "a street with no cars"])    # (images, texts)

A caption with negation is split into what it affirms and what it excludes (`negation_scope`), its parts are embedded
by the backbone and composed into one query that is affine in the image embedding (`composition_notclip`). A caption
without negation scores exactly as the backbone scores it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.models.auto.modeling_auto import MODEL_FOR_ZERO_SHOT_IMAGE_CLASSIFICATION_MAPPING_NAMES
from transformers.utils.generic import can_return_tuple

from .caption_frames import count_words, without_frame
from .composition_notclip import (
    CENTRES,
    GENERIC_TEXTS,
    LEAST_PHOTOS,
    SPREAD_OF_A_LOGIT,
    CaptionParts,
    CompositionWeights,
    EmbeddedTexts,
    ImageStatistics,
    compose,
    image_statistics,
)
from .configuration_notclip import COMPOSITION_SCALARS, COMPOSITIONS, NotClipConfig
from .inputs_notclip import (
    as_exclusions,
    as_texts,
    check_images,
    check_photos_to_measure,
    check_pixel_values,
    open_photos,
)
from .negation_scope import NegationScope, read_scopes
from .pretrained_notclip import (
    PLACE,
    build_model,
    check_loading,
    read_dual_encoder,
    read_image_processor,
    read_tokenizer,
)
from .processing_notclip import NotClipProcessor
from .reading_tagger import Tagger
from .release_files_notclip import AUTO_MAP, name_processor_class, write_release_files

# The zero-shot pipeline logs an error for a class that this list lacks, although it works.
MODEL_FOR_ZERO_SHOT_IMAGE_CLASSIFICATION_MAPPING_NAMES.setdefault("notclip", "NotClipModel")

MOST_REMEMBERED = 4096  # concepts
MOST_READINGS = 2**17  # a training reads its texts again in each epoch; about 150 MB of them


def _unit_norm(features: Tensor) -> Tensor:
    """Normalise embeddings, in single precision at least whatever the weights have: an index takes no less."""
    return nn.functional.normalize(_at_least_single(features), dim=-1)


def _at_least_single(tensor: Tensor) -> Tensor:
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


class NotClipModel(PreTrainedModel):
    """A dual encoder that reads negation.

    Args:
        config: the configuration.
        backbone: the dual encoder to wrap, built from `config.dual_encoder_config` when absent.
    """

    config_class = NotClipConfig
    base_model_prefix = "notclip"
    main_input_name = "pixel_values"
    input_modalities = ["image", "text"]
    _supports_sdpa = True
    _supports_flash_attn = True

    backbone: Any  # any dual encoder of transformers: they share their calls, but no base class that has them
    image_mean: Tensor
    image_covariance: Tensor
    image_centres: Tensor
    image_shares: Tensor
    reader: Tensor | None

    def __init__(self, config: NotClipConfig, backbone: PreTrainedModel | None = None):
        super().__init__(config)
        self.backbone = build_model(config.dual_encoder_config) if backbone is None else backbone
        self.register_buffer("image_mean", torch.zeros(config.embedding_dim))
        self.register_buffer("image_covariance", torch.eye(config.embedding_dim) / config.embedding_dim)
        self.register_buffer("image_centres", torch.zeros(CENTRES, config.embedding_dim))
        self.register_buffer("image_shares", torch.zeros(CENTRES))
        # The file of the tagger that reads texts, so that nothing else is to be fetched; bytes, which no cast touches.
        size = config.reader_bytes
        self.register_buffer("reader", torch.zeros(size, dtype=torch.uint8) if size else None)
        self._tagger: Tagger | None = None
        self._readings: dict[str, NegationScope] = {}
        self._is_measured: bool | None = None  # not known yet
        self.remembered: dict[str, Tensor] = {}
        self._remembered_of: tuple | None = None
        self._processor: NotClipProcessor | None = None
        self._processor_source: tuple[str, dict] | None = None
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        if module is self:
            # Shares of zero say that no photos were measured (`calibrate`).
            for buffer in (self.image_mean, self.image_centres, self.image_shares):
                nn.init.zeros_(buffer)
            nn.init.eye_(self.image_covariance)
            self.image_covariance.div_(self.config.embedding_dim)
            if self.reader is not None:
                nn.init.zeros_(self.reader)

    # -- loading ---------------------------------------------------------------------------------------------------

    @classmethod
    def from_backbone(
        cls,
        backbone: str | Path | PreTrainedModel,
        *,
        processor: object | None = None,
        composition: Literal["scope", "none"] = "scope",
        dtype: torch.dtype = torch.float32,
        **loading_arguments: Any,
    ) -> "NotClipModel":
        """Wrap a dual encoder of transformers (CLIP, SigLIP, SigLIP 2, VisionTextDualEncoder, …).

        Args:
            backbone: Hub id, folder or model in memory.
            processor: its processor (`tokenizer` and `image_processor`); read from the same place when absent.
            composition: `"scope"` or `"none"`.
            dtype: precision of the weights.
            loading_arguments: `revision`, `token`, `cache_dir`, … as `from_pretrained` takes them.

        Raises:
            ValueError: what was given is no dual encoder, or its checkpoint lacks weights.
        """
        source = None
        dual_encoder: Any = backbone
        if not isinstance(backbone, PreTrainedModel):
            source = (str(backbone), dict(loading_arguments))
            dual_encoder = read_dual_encoder(source[0], dtype=dtype, **loading_arguments)
        if not (hasattr(dual_encoder, "get_text_features") and hasattr(dual_encoder, "get_image_features")):
            raise ValueError(
                f"`backbone` must be a dual encoder with `get_text_features` and `get_image_features`, "
                f"got {type(dual_encoder).__name__}."
            )
        with torch.no_grad():
            one_token = torch.zeros(1, 1, dtype=torch.long, device=dual_encoder.device)
            embedding_dim = dual_encoder.get_text_features(input_ids=one_token).pooler_output.shape[-1]
        reader = Tagger.default_bytes()
        config = NotClipConfig(
            dual_encoder_config=dual_encoder.config,
            embedding_dim=embedding_dim,
            composition=composition,
            reader_bytes=len(reader),
            backbone_name=source[0] if source else None,
            # A composite configuration hands its own choice down; None would take the towers' masks away.
            attn_implementation=dual_encoder.config._attn_implementation,  # type: ignore[call-arg]
        )
        model = cls(config, backbone=dual_encoder)
        for name in ("image_mean", "image_covariance", "image_centres", "image_shares"):
            setattr(model, name, getattr(model, name).to(dtype))
        model.reader = torch.frombuffer(bytearray(reader), dtype=torch.uint8)
        model._processor_source = source
        if processor is not None:
            model.processor = processor
        return model.eval()

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: Any, *model_args: Any, **kwargs: Any) -> Any:
        """Load a NotCLIP checkpoint, as every model of transformers; its processor is found in the same place.

        Raises:
            ValueError: the checkpoint lacks weights, or holds others than its configuration says.
        """
        wants_report = kwargs.pop("output_loading_info", False)
        loaded: Any = super().from_pretrained(
            pretrained_model_name_or_path, *model_args, output_loading_info=True, **kwargs
        )
        model, report = loaded
        check_loading(str(pretrained_model_name_or_path), model, report)
        where = {name: kwargs[name] for name in PLACE if kwargs.get(name) is not None}
        model._processor_source = (str(pretrained_model_name_or_path), where)
        return (model, report) if wants_report else model

    def save_pretrained(  # type: ignore[override]
        self,
        save_directory: str | Path,
        *,
        is_main_process: bool = True,
        push_to_hub: bool = False,
        **kwargs: Any,
    ) -> None:
        """Write weights, processor, code and sentence-transformers' files: all that `push_to_hub` then uploads.

        Args:
            save_directory: the folder.
            is_main_process: whether this process is the one that writes, of several.
            push_to_hub: also upload the folder, to `repo_id` or the folder's name.
            kwargs: as `PreTrainedModel.save_pretrained` takes them.
        """
        folder = Path(save_directory)
        # One class registers for one auto class only, so the map is written by hand.
        self.config.auto_map = dict(AUTO_MAP)
        hub = {name: kwargs.pop(name) for name in ("repo_id", "commit_message", "create_pr") if name in kwargs}
        super().save_pretrained(folder, is_main_process=is_main_process, **kwargs)
        if not is_main_process:
            return
        if self._processor is not None or self._processor_source is not None:
            self.processor.save_pretrained(folder)
            name_processor_class(folder)
        write_release_files(folder, source=self._processor_source)
        if push_to_hub:
            self.push_to_hub(hub.pop("repo_id", folder.name), token=kwargs.get("token"), **hub)

    @property
    def processor(self) -> NotClipProcessor:
        """Tokenizer and image processor, read on first use from where the weights came from."""
        if self._processor is None:
            if self._processor_source is None:
                raise ValueError(
                    "This model was built in memory and has no `processor`: set `model.processor = …` "
                    "(an object with `tokenizer` and `image_processor`)."
                )
            name, where = self._processor_source
            self._processor = NotClipProcessor(
                image_processor=read_image_processor(name, **where),
                tokenizer=read_tokenizer(name, config=self.config.dual_encoder_config, **where),
            )
        return self._processor

    @processor.setter
    def processor(self, processor: Any) -> None:
        self._processor = NotClipProcessor(processor.image_processor, processor.tokenizer)

    # -- CLIP's interface ------------------------------------------------------------------------------------------

    @property
    def logit_scale(self) -> Tensor:
        """Logarithm of the inverse temperature, the backbone's own parameter, scalar."""
        return self.backbone.logit_scale

    def get_text_features(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        **kwargs: Any,
    ) -> Any:
        """Embed whole captions as the backbone does, negation words and all; `.pooler_output` has shape (T, D)."""
        if position_ids is not None:
            kwargs["position_ids"] = position_ids
        return self.backbone.get_text_features(input_ids=input_ids, attention_mask=attention_mask, **kwargs)

    def get_image_features(self, pixel_values: Tensor, **kwargs: Any) -> Any:
        """Embed images as the backbone does; `.pooler_output` has shape (I, D)."""
        check_pixel_values(pixel_values)
        return self.backbone.get_image_features(pixel_values=pixel_values, **kwargs)

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        return_loss: bool | None = None,
        **kwargs: Any,
    ) -> Any:
        """Score each image against each caption.

        Args:
            input_ids: tokens of T captions, shape (T, L).
            pixel_values: I preprocessed images, shape (I, 3, H, W).
            attention_mask: 1 for tokens, 0 for padding, shape (T, L).
            return_loss: also compute the backbone's contrastive loss on whole captions; needs I = T.
            kwargs: what the backbone takes besides, and `return_dict=False` for a tuple.

        Returns:
            The backbone's own output class; `logits_per_image` has shape (I, T), composed where a caption negates.
        """
        if input_ids is None or pixel_values is None:
            raise ValueError("`input_ids` and `pixel_values` must both be given; for one tower use `get_…_features`.")
        check_pixel_values(pixel_values)
        self._check_length(input_ids)
        input_ids, attention_mask = self.pad_as_trained(input_ids, attention_mask)
        if attention_mask is not None:
            kwargs["attention_mask"] = attention_mask
        kwargs |= {"return_loss": return_loss, "return_dict": True}
        outputs = self.backbone(input_ids=input_ids, pixel_values=pixel_values, **kwargs)
        if self.config.composition == "none":
            return outputs
        tokenizer = self.processor.tokenizer
        scopes = self.read([tokenizer.decode(ids, skip_special_tokens=True) for ids in input_ids.tolist()])
        negating = [index for index, scope in enumerate(scopes) if scope.negated]
        if not negating:
            return outputs
        whole = _at_least_single(outputs.text_embeds[negating])
        parts = self._embed([], [scopes[index] for index in negating], whole=whole).parts
        rows = torch.arange(len(negating), device=whole.device)
        vectors, biases = self.compose(EmbeddedTexts(whole, rows, parts))
        scores = _at_least_single(outputs.image_embeds) @ vectors.T + biases  # (I, T')
        logit_bias = getattr(self.backbone, "logit_bias", 0.0)  # SigLIP's
        logits = outputs.logits_per_image.clone()
        logits[:, negating] = (scores * self.logit_scale.exp() + logit_bias).to(logits.dtype)
        outputs.logits_per_image, outputs.logits_per_text = logits, logits.T
        return outputs

    # -- strings and images ----------------------------------------------------------------------------------------

    @torch.no_grad()
    def encode_images(self, images: Sequence[Any] | Tensor, *, batch_size: int = 64) -> Tensor:
        """Embed images to unit norm, shape (I, D).

        Args:
            images: PIL images, paths, bytes or arrays of pixels, opened as `photo_notclip.open_photo` does; or pixel
                values of shape (I, 3, H, W) as the image processor makes them.
            batch_size: images encoded at once.
        """
        check_images(images)
        if self.device.type == "cpu":
            batch_size = min(batch_size, self.config.cpu_image_batch)
        embeds = [torch.empty(0, self.config.embedding_dim, device=self.device)]
        for start in range(0, len(images), batch_size):
            batch = images[start : start + batch_size]
            if isinstance(batch, Tensor):
                inputs: dict[str, Any] = {"pixel_values": batch}
            else:
                rgb = open_photos(batch, first=start)
                # SigLIP 2 with native resolution also needs the mask and the shape of each image's patches.
                inputs = dict(self.processor.image_processor(images=rgb, return_tensors="pt").to(self.device))
            pixel_values = inputs.pop("pixel_values").to(self.device, self.dtype)
            if pixel_values.ndim == 4:
                # Depthwise convolutions on a CPU are 2.5 times as fast with the channels last (MobileNetV2, measured).
                pixel_values = pixel_values.contiguous(memory_format=torch.channels_last)
            embeds.append(_unit_norm(self.get_image_features(pixel_values, **inputs).pooler_output))
        return torch.cat(embeds)

    def encode_texts(self, texts: Sequence[str], *, batch_size: int = 256) -> Tensor:
        """Embed whole texts to unit norm, shape (T, D), each distinct text once and shortest first; differentiable."""
        texts = as_texts(texts)
        distinct = sorted(set(texts), key=lambda text: (len(text), text))
        embeds = [torch.empty(0, self.config.embedding_dim, device=self.device)]
        for start in range(0, len(distinct), batch_size):
            tokens = self.tokenize(distinct[start : start + batch_size])
            embeds.append(_unit_norm(self.get_text_features(**tokens).pooler_output))
        position = {text: index for index, text in enumerate(distinct)}
        return torch.cat(embeds)[[position[text] for text in texts]]

    def read(self, texts: Sequence[str]) -> list[NegationScope]:
        """What each text affirms and denies, by the tagger that travels with the weights."""
        tagger = self.tagger
        unread = [text for text in dict.fromkeys(texts) if text not in self._readings]
        if len(self._readings) + len(unread) > MOST_READINGS:
            self._readings, unread = {}, list(dict.fromkeys(texts))
        self._readings.update(zip(unread, read_scopes(unread, tagger=tagger), strict=True))
        return [self._readings[text] for text in texts]

    @property
    def tagger(self) -> Tagger:
        """The tagger that travels with the weights."""
        if self._tagger is None:
            self._tagger = Tagger.default() if self.reader is None else Tagger.from_bytes(self.reader)
        return self._tagger

    def embed_texts(
        self, texts: Sequence[str], *, scopes: Mapping[str, NegationScope] | None = None, batch_size: int = 256
    ) -> EmbeddedTexts:
        """Embed texts, and the parts of those that negate something; differentiable in the text tower.

        Args:
            texts: T texts.
            scopes: what `read` says of each, where that is known already.
            batch_size: texts encoded at once.
        """
        texts = as_texts(texts)
        read = self.read(texts) if scopes is None else [scopes[text] for text in texts]
        return self._embed(texts, read, batch_size=batch_size)

    def compose(
        self,
        embedded: EmbeddedTexts,
        weights: CompositionWeights | None = None,
        *,
        strength: float | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Turn embedded texts into affine queries: vectors of shape (T, D) and biases of shape (T,).

        Args:
            embedded: what `embed_texts` returned for T texts.
            weights: scalars of the composition; the configuration's when absent.
            strength: multiplies every exclusion's weight; the configuration's `negation_strength` when absent.
        """
        strength = self.config.negation_strength if strength is None else strength
        if not 0 <= strength < math.inf:
            raise ValueError(f"`strength` must be a number from 0, got {strength!r}.")
        vectors, biases = embedded.whole, embedded.whole.new_zeros(len(embedded.whole))
        if len(embedded.negating) == 0:
            return vectors, biases
        weights = self.composition_weights if weights is None else weights
        statistics = self.statistics
        if statistics is not None:
            statistics = ImageStatistics(*(part.to(vectors) for part in vars(statistics).values()))
        spread = SPREAD_OF_A_LOGIT / self.logit_scale.detach().exp()
        # A score is what remains of far larger terms, too little of them to be told in half precision.
        with torch.autocast(vectors.device.type, enabled=False):
            composed, composed_biases = compose(embedded.parts, weights, statistics, spread=spread, strength=strength)
        vectors = vectors.index_copy(0, embedded.negating, composed)
        return vectors, biases.index_copy(0, embedded.negating, composed_biases)

    @torch.no_grad()
    def encode_queries(
        self,
        texts: Sequence[str],
        *,
        batch_size: int = 256,
        composition: str | None = None,
        strength: float | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Turn texts into affine queries: the score of image embedding v is `v @ vector + bias`.

        Args:
            texts: T texts, with or without negation.
            batch_size: texts encoded at once.
            composition: `"scope"` or `"none"`; the configuration's when absent.
            strength: multiplies the weight of every excluded concept; the configuration's when absent.

        Returns:
            vectors of shape (T, D) and biases of shape (T,), in units of cosine similarity. A text without negation
            has its unit-norm embedding and bias 0.
        """
        texts = as_texts(texts)
        composition = self.config.composition if composition is None else composition
        if composition not in COMPOSITIONS:
            raise ValueError(f"`composition` must be one of {COMPOSITIONS}, got {composition!r}.")
        if composition == "none":
            vectors = self.encode_texts(texts, batch_size=batch_size)
            return vectors, vectors.new_zeros(len(texts))
        embedded = self._embed(texts, self.read(texts), reads_whole=self._reads_whole, batch_size=batch_size)
        return self.compose(embedded, strength=strength)

    @torch.no_grad()
    def encode_query(
        self,
        text: str,
        *,
        exclude: Sequence[Any] = (),
        strength: float | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Turn one text into a vector of shape (D,) and a scalar bias, for a vector index.

        Args:
            text: the query; what it negates itself is excluded as well.
            exclude: further things to exclude: strings are words ("people"); what else `score` takes for a photo shows
                them, a file as a `Path`.
            strength: multiplies the weight of every excluded concept; the configuration's when absent.

        Raises:
            ValueError: an exclusion is neither words nor a photo, or is the query itself.
        """
        if not isinstance(text, str):
            raise ValueError(f"`text` must be a string, got {type(text).__name__}; `encode_queries` takes a list.")
        exclude = as_exclusions(exclude, text)
        if not exclude or self.config.composition == "none":
            if exclude:
                raise ValueError('`exclude` needs the composition "scope"; this model has "none".')
            vectors, biases = self.encode_queries([text], strength=strength)
            return vectors[0], biases[0]
        scope = self.read([text])[0]
        affirmed = scope.affirmed if scope.negated else text
        words = [thing for thing in exclude if isinstance(thing, str)]
        photos = [thing for thing in exclude if not isinstance(thing, str)]
        shown = self.encode_images(photos)
        embedded = self._embed(
            [text],
            [replace(scope, affirmed=affirmed, negated=(*scope.negated, *words))],
            shown=shown,
            reads_whole=self._reads_whole,
        )
        vectors, biases = self.compose(embedded, strength=strength)
        return vectors[0], biases[0]

    def calibrate(self, images: Sequence[Any] | Tensor) -> "NotClipModel":
        """Measure unlabelled photos, a few hundred of the kind that will be searched, and compose by them from now on.

        Args:
            images: photos as `score` takes them, or unit-norm embeddings by this model, shape (I, D).

        Returns:
            The model itself.

        Raises:
            ValueError: there are fewer than 100, or embeddings are no finite unit vectors of this model's width.
        """
        check_photos_to_measure(images, least=LEAST_PHOTOS, width=self.config.embedding_dim)
        embeds = images if isinstance(images, Tensor) and images.ndim == 2 else self.encode_images(images)
        self.set_statistics(image_statistics(embeds))
        return self

    def set_statistics(self, statistics: ImageStatistics) -> None:
        """Take over statistics of photos, as `image_statistics` measures them."""
        for name, value in vars(statistics).items():
            getattr(self, f"image_{name}").copy_(value)
        self._is_measured = None

    @property
    def statistics(self) -> ImageStatistics | None:
        """What `calibrate` measured, or None."""
        if self._is_measured is None:  # Asked once: in training a GPU would be waited for in each step.
            self._is_measured = bool(self.image_shares.any())
        if not self._is_measured:
            return None
        return ImageStatistics(self.image_mean, self.image_covariance, self.image_centres, self.image_shares)

    @torch.no_grad()
    def score(
        self,
        images: Sequence[Any] | Tensor,
        texts: Sequence[str],
        *,
        composition: str | None = None,
        strength: float | None = None,
    ) -> Tensor:
        """Score images against texts, shape (I, T), in units of cosine similarity.

        `images` are those of `encode_images`, `composition` and `strength` are those of `encode_queries`.
        """
        vectors, biases = self.encode_queries(texts, composition=composition, strength=strength)
        return self.encode_images(images) @ vectors.T + biases

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        self._is_measured = None
        super()._load_from_state_dict(*args, **kwargs)

    def train(self, mode: bool = True) -> "NotClipModel":
        """As every module; forgets embedded concepts too, since not every optimizer tells that it changed weights."""
        self.remembered = {}
        return super().train(mode)

    # -- inside ----------------------------------------------------------------------------------------------------

    @property
    def composition_weights(self) -> CompositionWeights:
        """The configuration's scalars of the composition, as tensors of single precision at least."""
        like = _at_least_single(self.image_mean)
        return CompositionWeights(
            **{name: like.new_tensor(getattr(self.config, name)) for name in COMPOSITION_SCALARS}
        )

    @property
    def _reads_whole(self) -> bool:
        """Whether the composition gives a whole text that negates any share beside its parts."""
        return self.config.whole_share != 0

    def _embed(
        self,
        texts: Sequence[str],
        scopes: Sequence[NegationScope],
        *,
        whole: Tensor | None = None,
        shown: Tensor | None = None,
        reads_whole: bool = True,
        batch_size: int = 256,
    ) -> EmbeddedTexts:
        """Embed T texts and the parts of those that negate, all in one pass.

        `whole` holds what is embedded already, `shown` photos, shape (P, D), that the one text excludes as well.
        Unless `reads_whole`, a text that negates is not embedded as a whole: its affirmed part stands in.
        """
        extra = [] if shown is None else list(shown)
        negating = [index for index, scope in enumerate(scopes) if scope.negated or extra]
        read = [scopes[index] for index in negating]
        affirmed = [without_frame(scope.affirmed) if scope.affirmed else "" for scope in read]
        names = self.config.names
        groups = [
            names.get(concept.lower().removesuffix("s"), [concept]) for scope in read for concept in scope.negated
        ]
        owner = [row for row, scope in enumerate(read) for _ in scope.negated] + [0] * len(extra)
        concepts = {name for group in groups for name in group}
        if "" in affirmed:
            concepts.update(GENERIC_TEXTS)
        parts_alone = set() if reads_whole else set(negating)
        as_wholes = [text for index, text in enumerate(texts) if index not in parts_alone]
        embed_of = self._embed_once([*as_wholes, *filter(None, affirmed)], sorted(concepts), batch_size=batch_size)
        empty = torch.empty(0, self.config.embedding_dim, device=self.device)

        def together(names: Sequence[str]) -> Tensor:
            if len(names) == 1:
                return embed_of[names[0]]
            return nn.functional.normalize(torch.stack([embed_of[name] for name in names]).mean(0), dim=-1)

        generic = together(GENERIC_TEXTS) if "" in affirmed else empty
        of_affirmed = [embed_of[text] if text else generic for text in affirmed]
        if whole is None:
            of_whole = dict(zip(negating, of_affirmed, strict=True)) if parts_alone else {}
            of_text = [of_whole[row] if row in of_whole else embed_of[text] for row, text in enumerate(texts)]
            whole = torch.stack(of_text) if texts else empty
            rows = torch.tensor(negating, dtype=torch.long, device=whole.device)
            own = whole[rows]
        else:
            own, rows = whole, torch.arange(len(whole), device=whole.device)
        parts = CaptionParts(
            whole=own,
            affirmed=torch.stack(of_affirmed) if affirmed else empty,
            affirmed_words=whole.new_tensor([count_words(text) if text else 0 for text in affirmed]),
            excluded=torch.stack([*map(together, groups), *extra]) if owner else empty,
            owner=torch.tensor(owner, dtype=torch.long, device=whole.device),
        )
        return EmbeddedTexts(whole, rows, parts)

    def _embed_once(self, texts: Sequence[str], concepts: Sequence[str], *, batch_size: int) -> dict[str, Tensor]:
        """Embed texts and concepts in one pass; concepts are remembered while nothing learns and no weight changes."""
        weights = list(self.backbone.parameters())
        key = (id(self.backbone), weights[0].dtype, weights[0].device, sum(weight._version for weight in weights))
        if torch.is_grad_enabled() or self.training or torch.is_autocast_enabled(self.device.type):
            remembered: dict[str, Tensor] = {}
        else:
            if key != self._remembered_of or len(self.remembered) > MOST_REMEMBERED:
                self.remembered, self._remembered_of = {}, key
            remembered = self.remembered
        missing = list(dict.fromkeys([*texts, *(name for name in concepts if name not in remembered)]))
        found = dict(zip(missing, self.encode_texts(missing, batch_size=batch_size), strict=True))
        if not torch.is_grad_enabled():
            remembered.update((name, found[name]) for name in concepts if name not in remembered)
        return remembered | found

    @property
    def _text_length(self) -> int:
        text_config = getattr(self.backbone.config, "text_config", self.backbone.config)
        return min(self.processor.tokenizer.model_max_length, text_config.max_position_embeddings)

    def _check_length(self, input_ids: Tensor) -> None:
        text_config = getattr(self.backbone.config, "text_config", self.backbone.config)
        longest = getattr(text_config, "max_position_embeddings", None)  # none where positions are relative
        if longest is not None and input_ids.shape[1] > longest:
            raise ValueError(
                f"`input_ids` may hold {longest} tokens a caption, got {input_ids.shape[1]}: pass `truncation=True` "
                "to the processor."
            )

    def tokenize(self, texts: Sequence[str]) -> Any:
        """Texts as `forward` takes them, at the length and with the padding of the backbone's training."""
        padding = self.config.text_padding
        tokens = self.processor.tokenizer(
            list(texts), padding=padding, truncation=True, max_length=self._text_length, return_tensors="pt"
        )
        if padding == "max_length":
            tokens.pop("attention_mask", None)
        return tokens.to(self.device)

    def pad_as_trained(self, input_ids: Tensor, attention_mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Token ids and mask that came in shorter, padded to the length of the backbone's training."""
        if self.config.text_padding == "longest":
            return input_ids, attention_mask
        tokenizer, missing = self.processor.tokenizer, max(0, self._text_length - input_ids.shape[1])
        sides = (missing, 0) if tokenizer.padding_side == "left" else (0, missing)
        return nn.functional.pad(input_ids, sides, value=tokenizer.pad_token_id), None


__all__ = ["NotClipModel"]
