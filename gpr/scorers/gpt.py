"""The scorers that are the GPT itself, `generate`, `match` and `plausibility`, answered from one pass over the prompts.

It knows a base model (with or without an adapter) and a catalogue; not where they are kept.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gpr.data.dataset import Request
from gpr.errors import GPRError
from gpr.files import written_whole
from gpr.lm.body import body_of, low_depths
from gpr.lm.prompts import Prompt, Prompts
from gpr.lm.reading import Reading, padded
from gpr.lm.tree import TreeDecoder
from gpr.lm.trie import Ints
from gpr.scorers.head import LabelHead
from gpr.scorers.match import BLOCKS, Match, Spans, features
from gpr.scorers.pool import PLAUSIBILITY
from gpr.scorers.scorer import Scores

TEXT_BATCH = 32
FEATURES_KIND = b"eighth, quarter, top, last"
"""Kept features of another kind are not taken: to be changed whenever `features` or `low_depths` are."""
ALWAYS_WHOLE, MOST_WHOLE = 500, 8_000
"""Tokens of the trie up to which a request is always answered over the whole catalogue, so that the answer does not
depend on the machine; and up to which it is, where that takes no longer than LONGEST."""
WHOLE_TITLES = 1_000
"""Tokens of all titles up to which they can be read to their ends for every request: about a second on two cores."""
TITLES_AT_ONCE = 4_096
"""Requests x tokens of whole titles that are read together."""
LONGEST = 1.6
"""Seconds that the whole catalogue may take: probabilities are promised within 2 s, and the way through the page, the
request itself and its best items take the rest."""
WAIT = 0.7
"""Seconds: where the whole catalogue takes longer, the best items are worth a search of their own."""
DOUBTFUL = 4 * LONGEST
"""Seconds: a first, cold measurement between LONGEST and this is made again."""
Parts = dict[str, Scores]
OF_TITLES = {"generate", PLAUSIBILITY}
"""The parts that read titles behind the request."""


class Gpt:
    """`generate`, `match` and their kin for one model and one catalogue.

    Args:
        model: a causal LM in eval mode, peft or plain. prompts: of its tokenizer and the catalogue.
        match: the trained maps; None starts them by whitening the catalogue's own texts.
        item_features: (N, F) of the same model and catalogue, where they are known; None computes them.
        progress: called with the share done while they are computed.
        kept: a file beside which the prior is kept where reading it may take minutes.
        head: of a run whose items are labels. titles: with the part `plausibility`, where titles are few enough.
    """

    def __init__(
        self,
        model: Any,
        prompts: Prompts,
        match: Match | None = None,
        item_features: Tensor | None = None,
        progress: Callable[[float], None] = lambda share: None,
        kept: Path | None = None,
        head: LabelHead | None = None,
        titles: bool = False,
    ) -> None:
        self.model, self.head = model, head
        self.reads_titles = titles and reads_whole(prompts)
        self.prompts, self.catalogue = prompts, prompts.catalogue
        self.decoder = TreeDecoder(model, prompts.trie, prompts.openings)
        self._body = body_of(model)
        self.item_features = self.text_features(prompts.texts, progress) if item_features is None else item_features
        self.match = match or self._untrained_match(progress)
        with torch.inference_mode():
            self._item_vectors = self.match.item_vectors(self.item_features)
            self._prior, self.seconds = self._read_prior(kept)
            self._title_prior = self._read_title_prior() if self.reads_titles else None
        self.decoder.expect(self._prior.cpu().numpy())

    @property
    def scores_whole(self) -> bool:
        """Whether a request that somebody waits for is answered over the whole catalogue, or over a shortlist."""
        tokens = self.prompts.trie.edge_tokens
        return self.reads_titles or tokens <= ALWAYS_WHOLE or (tokens <= MOST_WHOLE and self.seconds <= LONGEST)

    @property
    def slow(self) -> bool:
        """Whether it is worth it to find the best items before all have their score."""
        return self.seconds > WAIT

    def _read_prior(self, kept: Path | None) -> tuple[Tensor, float]:
        """(N,) log-probabilities under the empty request, and the seconds that the whole catalogue took. Where that may
        be minutes, they are kept; then it takes for ever."""
        place = kept.with_suffix(".trie.npy") if kept and self.prompts.trie.edge_tokens > MOST_WHOLE else None
        known = _read_numbers(place, len(self.catalogue))
        if not np.isnan(known).any():
            return torch.from_numpy(known).to(self.decoder.device), float("inf")
        reading = self.decoder.read([self.prompts.request(Request()).ids])
        prior, seconds = self._timed(reading)
        if LONGEST < seconds < DOUBTFUL:
            prior, again = self._timed(reading)
            seconds = min(seconds, again)
        _keep_numbers(place, prior.cpu().numpy())
        return prior, seconds

    def _read_title_prior(self) -> NDArray[np.float32]:
        """(N,) log-likelihoods of the titles under the empty request, with the seconds that such an answer takes."""
        reading, started = self.decoder.read([self.prompts.request(Request()).ids]), time.perf_counter()
        _, likelihoods = self.decoder.likelihoods(reading, np.arange(len(self.catalogue)), exact=True)
        self.seconds = time.perf_counter() - started
        return np.asarray(likelihoods[0], np.float32)

    def _timed(self, reading: Reading) -> tuple[Tensor, float]:
        """(N,) of the first request that was read, and the seconds that it took."""
        started = time.perf_counter()
        return self.decoder.score(reading)[0], time.perf_counter() - started

    def _untrained_match(self, progress: Callable[[float], None]) -> Match:
        """Whitened on titles as queries against items' texts: what a catalogue alone can say."""
        match = Match(self._body.config.hidden_size).to(self.item_features.device)
        some = range(0, len(self.catalogue), max(1, len(self.catalogue) // 500))
        queries = [self.prompts.request(Request(self.catalogue.titles[number])) for number in some]
        match.whiten(self.text_features(queries, progress), self.item_features)
        return match.eval()

    @torch.inference_mode()
    def text_features(
        self, prompts: Sequence[Prompt], progress: Callable[[float], None] = lambda share: None
    ) -> Tensor:
        """(K, F) features of texts, in batches of like lengths."""
        found = torch.empty(len(prompts), BLOCKS * self._body.config.hidden_size, device=self.decoder.device)
        order = sorted(range(len(prompts)), key=lambda row: len(prompts[row].ids))
        for at in range(0, len(order), TEXT_BATCH):
            rows = order[at : at + TEXT_BATCH]
            batch = [prompts[row] for row in rows]
            ids, _ = padded([prompt.ids for prompt in batch], self.decoder.device)
            out = self._body(input_ids=ids, use_cache=False, output_hidden_states=True)
            low = tuple(out.hidden_states[depth] for depth in low_depths(self._body))
            found[rows] = features(low, out.last_hidden_state, spans_of(batch, self.decoder.device))
            progress(min(1.0, (at + TEXT_BATCH) / len(order)))
        return found

    @torch.inference_mode()
    def score_parts(
        self,
        requests: Sequence[Request],
        progress: Callable[[float], None] = lambda share: None,
        items: Ints | None = None,
    ) -> Parts:
        """`generate`, `match`, `prior` (what `generate` gives the empty request), and where they are there `head` and
        `plausibility`; each (B, N) log-probabilities, but for the last.

        Args:
            items: (S,) the only ones that `of_titles` is to answer, (B, S): where all would take too long.
        """
        prompts = [self.prompts.request(request) for request in requests]
        found: Parts = {}
        done = 0
        for rows in self._batches(prompts):
            reading, others = self._read([prompts[row] for row in rows])
            for name, part in (self.of_titles(reading, items) | others).items():
                found.setdefault(name, np.empty((len(prompts), part.shape[1]), np.float32))[rows] = part
            done += len(rows)
            progress(done / len(prompts))
        return found

    def _batches(self, prompts: Sequence[Prompt]) -> list[list[int]]:
        """Which prompts to read together."""
        batches = self.decoder.batches([prompt.ids for prompt in prompts])
        if not self.reads_titles:
            return batches
        most = max(1, TITLES_AT_ONCE // self.prompts.trie.whole_tokens)
        return [rows[at : at + most] for rows in batches for at in range(0, len(rows), most)]

    def of_titles(self, reading: Reading, items: Ints | None = None) -> Parts:
        """The parts that read titles, of requests that have been read: (B, N), or of some items (B, S).

        `generate` reads them up to their last choice. `plausibility` reads them to their ends: the log-likelihood of
        the whole title, less that under the empty request.
        """
        if self._title_prior is not None:
            some = np.arange(len(self.catalogue)) if items is None else items
            generate, likelihoods = self.decoder.likelihoods(reading, some, exact=True)
            return {"generate": generate, PLAUSIBILITY: likelihoods - self._title_prior[some]}
        if items is not None:
            return {"generate": self.decoder.score_items(reading, items)}
        return {"generate": self.decoder.score(reading).cpu().numpy()}

    @torch.inference_mode()
    def read(self, request: Request) -> tuple[Reading, Parts]:
        """A request that has been read, for titles to be read behind it, and all other parts: (1, N) each."""
        return self._read([self.prompts.request(request)], self.slow)

    def _read(self, prompts: Sequence[Prompt], ahead: bool = False) -> tuple[Reading, Parts]:
        reading = self.decoder.read([prompt.ids for prompt in prompts], ahead)
        found = features(reading.low, reading.top, spans_of(prompts, self.decoder.device, reading.opening))  # (B, F)
        parts = {"match": self.match.log_probs(self.match.request_vectors(found), self._item_vectors)}
        parts |= {"head": self.head.log_probs(found)} if self.head else {}
        said = {name: part.cpu().numpy() for name, part in parts.items()}
        return reading, said | {"prior": self._prior.repeat(len(prompts), 1).cpu().numpy()}

    @torch.inference_mode()
    def request_vectors(self, requests: Sequence[Request]) -> NDArray[np.float32]:
        """(B, D) what `match` makes of requests, unit length."""
        found = self.text_features([self.prompts.request(request) for request in requests])
        return self.match.request_vectors(found).cpu().numpy()

    def item_vectors(self, items: Sequence[int]) -> NDArray[np.float32]:
        """(S, D) what `match` makes of some items, unit length."""
        return self._item_vectors[list(items)].cpu().numpy()


def _read_numbers(path: Path | None, count: int) -> Scores:
    """(count,) numbers from a file, nan where it is missing or of another length."""
    try:
        found = np.load(path, allow_pickle=False) if path else None
    except (OSError, ValueError):
        found = None
    return found if found is not None and found.shape == (count,) else np.full(count, np.nan, np.float32)


def _keep_numbers(path: Path | None, numbers: Scores) -> None:
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as partial:
            np.save(partial, numbers)
    except (OSError, GPRError):
        return  # it saves time, nothing else


def reads_whole(prompts: Prompts) -> bool:
    """Whether a catalogue's titles are few and short enough to be read to their ends for every request."""
    return prompts.trie.whole_tokens <= WHOLE_TITLES


def spans_of(prompts: Sequence[Prompt], device: torch.device, opening: int = 0) -> Spans:
    """One text a sequence, read at its last token; places are counted from the end of the opening."""
    places = torch.tensor([(prompt.start, prompt.end, len(prompt.ids) - 1) for prompt in prompts], device=device)
    return Spans(torch.arange(len(prompts), device=device), *(places - opening).unbind(1))


def fingerprint(prompts: Prompts) -> str:
    """Names what item features are made of, and the token ids of a catalogue's texts and titles: all but the model."""
    digest = hashlib.sha256(FEATURES_KIND)
    for ids in (*prompts.titles, *(prompt.ids for prompt in prompts.texts)):
        digest.update(np.asarray(ids, np.int32).tobytes() + b"|")
    return digest.hexdigest()[:16]
