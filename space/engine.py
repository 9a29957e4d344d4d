"""Base and NotCLIP over the same photos: search, and choice among captions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from notclip.loading import load_model
from notclip.remote.composition_notclip import CaptionParts, EmbeddedTexts
from notclip.remote.modeling_notclip import NotClipModel
from notclip.scoring.suites.suite import open_suite_photo
from notclip.space.composed import compose_base
from notclip.space.gpu import on_gpu
from notclip.space.photo_embeds import embed_photo_set
from notclip.space.photo_set import PhotoSet, read_photo_set
from notclip.space.settings import ModelName, SpaceSettings

TOP = 12
MOST = 48  # that are found; a page shows twelve at first
PROBES = 4
WORDS_OF_DRAWINGS = 2000
BATCH = 64


@dataclass(frozen=True)
class Embedded:
    """Unit-norm embeddings of the same N photos by both models, each of shape (N, D)."""

    base: NDArray[np.float32]
    notclip: NDArray[np.float32]


@dataclass(frozen=True)
class Hits:
    """Positions of the best photos, best first, and their scores, in units of cosine similarity."""

    positions: tuple[int, ...]
    scores: tuple[float, ...]


class Engine:
    """The two models of a Space and the photos that it searches.

    Args:
        base: the ordinary model, composed not at all.
        notclip: the model that reads negation.
        photos: what is searched by default.
        embedded: their embeddings.
    """

    def __init__(self, base: NotClipModel, notclip: NotClipModel, photos: PhotoSet, embedded: Embedded) -> None:
        self.base, self.notclip = base, notclip
        self.photos, self.embedded = photos, embedded
        self.search = lru_cache(maxsize=4096)(self._search)

    @property
    def knows_drawings_alone(self) -> bool:
        """Whether the ordinary model is the encoder of the drawn world, told by its few hundred words."""
        return len(self.base.processor.tokenizer) < WORDS_OF_DRAWINGS

    @classmethod
    def load(cls, settings: SpaceSettings) -> "Engine":
        """Load models and photos, and embed the photos unless that was done before.

        Raises:
            BadInputError: a model or the photos cannot be used.
        """
        photos = read_photo_set(settings.photos)
        base = _load(settings.base, composition="none")
        notclip = _load(settings.model or settings.base, composition="scope")
        base_embeds = embed_photo_set(base, photos, settings.cache)
        # The adapter mostly leaves the image tower as it was: then one matrix serves both.
        probes = [open_suite_photo(photos.photo(name)) for name in photos.ids[:PROBES]]
        same = torch.allclose(notclip.encode_images(probes), base.encode_images(probes), atol=1e-5)
        embeds = base_embeds if same else embed_photo_set(notclip, photos, settings.cache)
        if settings.model is None:
            compose_base(notclip, embeds, photos, settings.cache)
        return cls(base, notclip, photos, Embedded(base_embeds, embeds))

    def _search(self, query: str, strength: float) -> tuple[Hits, Hits]:
        """What base and NotCLIP find among the Space's photos."""
        return self.search_many(self.embedded, [query], strength=strength)[0]

    def search_many(self, embedded: Embedded, queries: Sequence[str], *, strength: float) -> list[tuple[Hits, Hits]]:
        """What base and NotCLIP find among any embedded photos, for each query.

        Args:
            embedded: the photos' embeddings.
            queries: what is looked for.
            strength: multiplies what excluded concepts cost; 1 is as calibrated.
        """
        plain, _ = self.base.encode_queries(queries, composition="none")
        composed, biases = self.notclip.encode_queries(queries, composition="scope", strength=strength)
        return [
            (_best(embedded.base, plain[row].numpy(), 0.0), _best(embedded.notclip, composed[row].numpy(), bias))
            for row, bias in enumerate(biases.tolist())
        ]

    def search_like(
        self, embedded: Embedded, query: str, *, strength: float, like: int | None, unlike: Mapping[int, Image.Image]
    ) -> tuple[Hits, Hits]:
        """Search by words and by photos at once.

        The ordinary model, which cannot exclude, adds the words to the photo that is liked.

        Args:
            embedded: the photos' embeddings.
            query: what is looked for; what it excludes is excluded beside a photo, too.
            strength: as in `search_many`.
            like: position of a photo that stands in for what the query affirms.
            unlike: position -> photo, of those that show what is excluded; NotCLIP finds none of them.
        """
        plain = self.base.encode_queries([query], composition="none")[0][0]
        if like is None:
            vector, bias = self.notclip.encode_query(query, exclude=list(unlike.values()), strength=strength)
        else:
            plain = plain + torch.from_numpy(np.array(embedded.base[like]))
            photo = torch.from_numpy(np.array(embedded.notclip[[like]]))  # (1, D)
            with torch.no_grad():
                said = self.notclip.embed_texts([query]).parts.excluded
                excluded = torch.cat(
                    [said.reshape(-1, photo.shape[1]), self.notclip.encode_images(list(unlike.values()))]
                )
                owner = torch.zeros(len(excluded), dtype=torch.long)
                parts = CaptionParts(photo, photo, torch.ones(1), excluded, owner)
                negating = torch.zeros(int(len(excluded) > 0), dtype=torch.long)
                (vector,), (bias,) = self.notclip.compose(EmbeddedTexts(photo, negating, parts), strength=strength)
        return (
            _best(embedded.base, plain.numpy(), 0.0),
            _best(embedded.notclip, vector.numpy(), float(bias), without=list(unlike)),
        )

    def embed(self, images: Sequence[Image.Image]) -> Embedded:
        """Embed a visitor's own photos by both models; for one it is not worth asking for a GPU."""
        return Embedded(*(_encode if len(images) > 1 else _encode_here)(self, images))

    def choose(
        self, base_embed: NDArray[np.float32], notclip_embed: NDArray[np.float32], captions: Sequence[str]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """How base and NotCLIP divide their belief among captions of one photo; two vectors that sum to 1.

        Args:
            base_embed: the photo's embedding by the base, shape (D,).
            notclip_embed: and by NotCLIP.
            captions: the choices.
        """
        plain, _ = self.base.encode_queries(captions, composition="none")
        composed, biases = self.notclip.encode_queries(captions, composition="scope")
        return (
            _shares(plain.numpy() @ base_embed, self.base),
            _shares(composed.numpy() @ notclip_embed + biases.numpy(), self.notclip),
        )


def _encode_here(engine: Engine, images: Sequence[Image.Image]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    base = engine.base.encode_images(images, batch_size=BATCH).float().cpu().numpy()
    notclip = engine.notclip.encode_images(images, batch_size=BATCH).float().cpu().numpy()
    return base, notclip


_encode = on_gpu(_encode_here)


def _load(name: ModelName, *, composition: Any) -> NotClipModel:
    model = load_model(name.name, composition=composition, revision=name.revision)
    return model.eval()


def _best(embeds: NDArray[np.float32], vector: NDArray[np.float32], bias: float, without: Sequence[int] = ()) -> Hits:
    scores = embeds @ vector + bias  # (N,)
    scores[list(without)] = -np.inf
    count = min(MOST, len(scores) - len(without))
    top = np.argpartition(-scores, count - 1)[:count]
    top = top[np.lexsort((top, -scores[top]))]
    return Hits(tuple(top.tolist()), tuple(scores[top].tolist()))


def _shares(scores: NDArray[Any], model: NotClipModel) -> NDArray[np.float64]:
    logits = scores.astype(np.float64) * float(model.logit_scale.detach().exp())
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()
