"""`sequence`: a small causal transformer over the items of a history (SASRec, Kang and McAuley 2018, arXiv:1808.09781,
with a softmax over the catalogue). It knows item numbers and one text vector an item, not where the vectors come from.

An item's vector is an id part plus a projection of its text vector, so an item that no history holds has one too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from gpr.data.dataset import Catalogue, Request
from gpr.errors import ModelError
from gpr.scorers.scorer import Scores, log_normalised

SEQUENCE = "sequence.safetensors"
BATCH = 64


@dataclass(frozen=True)
class Shape:
    """Sizes of the transformer."""

    text: int
    """Of a text vector, F; 0 goes without text: SASRec."""
    width: int = 64
    """D, of an item's vector."""
    layers: int = 2
    heads: int = 2
    length: int = 50
    """Items of a history that are read, the most recent ones."""
    dropout: float = 0.2


class SequenceModel(nn.Module):
    """Histories -> what comes next.

    Args:
        texts: (N, F) text vectors of the catalogue, of about unit variance; any (N, 0) for none.
    """

    def __init__(self, shape: Shape, texts: Tensor) -> None:
        super().__init__()
        self.shape = shape
        self.ids = nn.Embedding(len(texts), shape.width)
        self.bias = nn.Parameter(torch.zeros(len(texts)))
        self.text = nn.Linear(shape.text, shape.width, bias=False) if shape.text else None
        self.positions = nn.Embedding(shape.length, shape.width)
        for table in (self.ids, self.positions):
            nn.init.normal_(table.weight, std=0.02)
        if self.text:
            nn.init.normal_(self.text.weight, std=0.01)
        layer = nn.TransformerEncoderLayer(
            shape.width, shape.heads, 4 * shape.width, shape.dropout, "gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(
            layer, shape.layers, norm=nn.LayerNorm(shape.width), enable_nested_tensor=False
        )
        self.dropout = nn.Dropout(shape.dropout)
        self.register_buffer("texts", texts.float(), persistent=False)

    def item_vectors(self) -> Tensor:
        """(N, D)."""
        return self.ids.weight + self.text(self.texts) if self.text else self.ids.weight

    def read(self, histories: Tensor, vectors: Tensor) -> Tensor:
        """Item numbers (B, T), T <= length, padded at the end -> the state after each item (B, T, D)."""
        steps = histories.shape[1]
        mask = torch.ones(steps, steps, dtype=torch.bool, device=histories.device).triu(1)
        states = self.dropout(vectors[histories] + self.positions.weight[:steps])
        found: Tensor = self.layers(states, mask=mask, is_causal=True)
        return found


class SequenceScorer:
    """Log-probabilities of the next item. Without a history all items are equal."""

    def __init__(self, model: SequenceModel) -> None:
        self.model = model.eval()
        with torch.inference_mode():
            self._vectors = model.item_vectors()

    @torch.inference_mode()
    def score_all(self, requests: Sequence[Request]) -> Scores:
        """(B, N)."""
        scores = np.zeros((len(requests), len(self._vectors)), np.float32)
        asked = [row for row, request in enumerate(requests) if request.history]
        for at in range(0, len(asked), BATCH):
            rows = asked[at : at + BATCH]
            histories = [requests[row].history[-self.model.shape.length :] for row in rows]
            ids = padded(histories).to(self._vectors.device)
            last = torch.tensor([len(history) - 1 for history in histories], device=ids.device)
            states = self.model.read(ids, self._vectors)[torch.arange(len(rows), device=ids.device), last]
            scores[rows] = (states @ self._vectors.T + self.model.bias).cpu().numpy()
        return log_normalised(scores)


def padded(histories: Sequence[Sequence[int]]) -> Tensor:
    """(B, T), zeros at the end: what comes after an item does not matter to it."""
    table = torch.zeros(len(histories), max(map(len, histories)), dtype=torch.long)
    for row, history in enumerate(histories):
        table[row, : len(history)] = torch.tensor(history)
    return table


def save_sequence(folder: Path, model: SequenceModel, catalogue: Catalogue) -> None:
    """Writes the weights, and by which titles the id parts go, into a folder that exists."""
    from safetensors.torch import save_file

    tensors = {name: value.contiguous().cpu() for name, value in model.state_dict().items()}
    shape = {name: str(value) for name, value in asdict(model.shape).items()}
    save_file(tensors | {"titles": _title_keys(catalogue)}, folder / SEQUENCE, metadata=shape)


def load_sequence(folder: Path, catalogue: Catalogue, texts: Tensor) -> SequenceModel | None:
    """The model for any catalogue: an item keeps its id part by its title, a new one has its text alone.

    None where the run has no such model, or no title in common.

    Raises:
        ModelError: the file is damaged.
    """
    from safetensors import SafetensorError

    if not (folder / SEQUENCE).exists():
        return None
    try:
        return _load(folder, catalogue, texts)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, SafetensorError) as error:
        said = next(iter(str(error).splitlines()), type(error).__name__)[:160]
        raise ModelError(
            f"What the run learned of histories cannot be used ({said}).",
            where=str(folder / SEQUENCE),
            hint="It is damaged or belongs to another base model; train the run again.",
        ) from error


def _load(folder: Path, catalogue: Catalogue, texts: Tensor) -> SequenceModel | None:
    from safetensors import safe_open

    with safe_open(str(folder / SEQUENCE), framework="pt") as kept:
        sizes = kept.metadata()
        tensors = {name: kept.get_tensor(name) for name in kept.keys()}  # noqa: SIM118
    whole = {name: int(sizes[name]) for name in ("text", "width", "layers", "heads", "length")}
    shape = Shape(**whole, dropout=float(sizes["dropout"]))
    known = {int(key): row for row, key in enumerate(tensors.pop("titles"))}
    rows = [known.get(int(key), -1) for key in _title_keys(catalogue)]
    if max(rows) < 0:
        return None
    for name in ("ids.weight", "bias"):
        value = tensors[name]
        new = value.mean() if name == "bias" else torch.zeros(shape.width)
        tensors[name] = torch.stack([value[row] if row >= 0 else new for row in rows])
    model = SequenceModel(shape, texts[:, : shape.text])
    model.load_state_dict(tensors)
    return model.to(texts.device)


def _title_keys(catalogue: Catalogue) -> Tensor:
    """(N,) int64, one for each title."""
    digests = [hashlib.sha256(title.encode()).digest()[:8] for title in catalogue.titles]
    return torch.from_numpy(np.frombuffer(b"".join(digests), np.int64).copy())
