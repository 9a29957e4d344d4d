"""The parts of the drawn world's tiny dual encoder: words, processor and untrained towers.

The tokenizer knows whole words: those of the captions, and the function words of English, words of negation among
them. The captions never negate, so `no`, `not` and `without` are distinct tokens that training never touches, and
whatever the encoder makes of them it has not been taught.
"""

from collections.abc import Iterable
from pathlib import Path

from torch import nn
from transformers import (
    BertConfig,
    BertTokenizer,
    CLIPImageProcessorPil,
    MobileNetV2Config,
    VisionTextDualEncoderConfig,
    VisionTextDualEncoderModel,
    VisionTextDualEncoderProcessor,
)

from notclip.recaption.drawn_world.vocabulary import KINDS

ENCODER_FOLDER = Path(__file__).parent / "encoder"
IMAGE_SIZE = 96
LONGEST_TEXT = 64

NEGATION_WORDS = tuple(
    """no not without neither nor never none nobody nothing nowhere no-one lack lacks lacking lacked miss
    missing missed absent absence except excluding excludes exclude excluded free devoid minus omit
    omits omitted omitting void empty bereft anything anybody anyone anywhere any isn aren wasn weren
    don doesn didn hasn haven hadn can cannot couldn won wouldn shouldn t n hardly barely scarcely less
    rather than instead but however yet unless other else sans"""
    .split()
)  # fmt: skip
FUNCTION_WORDS = tuple(
    """a an the this that these those there here it its he she they them we you i his her their our your who what which
    where when how why is are was were be been being am do does did has have had may might must will would shall should
    could and or so if as at by for from in into of off on onto out over to up down with within about above across
    after again against all almost along also although among around because before behind below beneath beside besides
    between beyond both during each either enough even every everything everyone far few first further in inside last
    like many more most much near nearby next now old one only opposite outside own past per same since some somebody
    someone something still such then though three through together too toward towards two four five six under until
    very via well while whole yes s sight sign trace hint present presence visible seen see sees look looks looking
    shows show showing shown features feature featuring featured includes include including included contains contain
    containing depicts depict depicting displays display captures capture captured image photo picture photograph
    scene snapshot drawing illustration cartoon view frame foreground background appears appear appearing appearance
    make makes find found spot spotted part clearly completely entirely notably at least expect might pictured case
    thing things object objects animal animals vehicle vehicles furniture fruit person people man woman child children
    boy girl left right top bottom side middle center corner front back big large small little tiny new red orange
    yellow green blue purple pink brown white grey gray black dark bright light colour color colourful"""
    .split()
)  # fmt: skip


def build_tokenizer(captions: Iterable[str]) -> BertTokenizer:
    """A lower-case WordPiece tokenizer of whole words, with single letters to spell what it does not know."""
    # Split exactly as the tokenizer itself will split.
    splitter = BertTokenizer(vocab={"[UNK]": 0}, do_lower_case=True).backend_tokenizer
    words = {*NEGATION_WORDS, *FUNCTION_WORDS, *KINDS, *(kind.plural for kind in KINDS.values())}
    text = " ".join([*captions, *sorted(words)])
    split = splitter.pre_tokenizer.pre_tokenize_str(splitter.normalizer.normalize_str(text))
    characters = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters]
    pieces += [f"##{character}" for character in characters if character.isalnum()]
    pieces += sorted({word for word, _ in split} - set(pieces))
    return BertTokenizer(
        vocab={piece: index for index, piece in enumerate(pieces)},
        do_lower_case=True,
        model_max_length=LONGEST_TEXT,
    )


def build_processor(tokenizer: BertTokenizer) -> VisionTextDualEncoderProcessor:
    """The processor that goes with the encoder; its pictures are resized by Pillow, the same on every machine."""
    image_processor = CLIPImageProcessorPil(
        size={"shortest_edge": IMAGE_SIZE},
        crop_size={"height": IMAGE_SIZE, "width": IMAGE_SIZE},
        resample=2,
        image_mean=[0.5, 0.5, 0.5],
        image_std=[0.5, 0.5, 0.5],
    )
    return VisionTextDualEncoderProcessor(image_processor=image_processor, tokenizer=tokenizer)


def untrained_encoder(vocabulary_size: int) -> VisionTextDualEncoderModel:
    """The untrained encoder: a narrow MobileNetV2 and a three-layer BERT, 1.9 million parameters together."""
    # `hidden_size` is read by the dual encoder, and is the width of the network's pooled output.
    vision = MobileNetV2Config(
        depth_multiplier=1.0,
        expand_ratio=2.0,
        output_stride=16,
        image_size=IMAGE_SIZE,
        tf_padding=False,
        hidden_size=1280,  # type: ignore[call-arg]
    )
    text = BertConfig(
        vocab_size=vocabulary_size,
        hidden_size=128,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=512,
        max_position_embeddings=LONGEST_TEXT,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    config = VisionTextDualEncoderConfig.from_vision_text_configs(vision, text, projection_dim=192)
    model = VisionTextDualEncoderModel(config)
    for module in model.vision_model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")  # twice as fast as N(0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.02  # The library's 0.997 is TensorFlow's, and keeps the last batch alone.
    return model
