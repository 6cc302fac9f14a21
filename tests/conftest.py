"""Fixtures that all tests share: a tiny model that behaves like a real one, the real one, and a browser.

What a test needs is there or the test fails: nothing is skipped.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.small_data import write_films

# Before anything imports gradio, a hub client or torch.
os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
os.environ["GPR_ENCODER"] = "off"  # whatever is installed
os.environ["COLUMNS"] = "200"  # of the terminal, whoever runs the tests
settings.register_profile("timeless", settings.default, deadline=None)  # no test is held to a time
settings.load_profile("timeless")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # else threads that wait take the cores from those that work

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

    from gpr.data.dataset import Dataset
    from gpr.lm.base import Base
    from gpr.lm.prompts import Prompts
    from gpr.workspace import Workspace

SENTENCES = (
    "Query: a film about dreams\nTitle: The Matrix\n",
    "Chosen so far, in order:\n Alien\n Aliens\n Inception\n",
    "Query: funny and sad\nTitle: Groundhog Day\n",
    "Title: The Good, the Bad and the Ugly\n",
    "查询:关于梦的电影\n标题:盗梦空间\n",
)
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level BPE of 320 tokens: encodes every text, and gives it back as it was. Adds no BOS, like SmolLM2's."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        min_frequency=1,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    bpe.train_from_iterator(SENTENCES, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        pad_token="<|im_end|>",
        unk_token="<|endoftext|>",
    )


@pytest.fixture
def tiny_model(tiny_tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """A random Llama, the same each time, that the test may change: 2 layers, width 32, float32, evaluation mode."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tiny_tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        initializer_range=0.2,  # so that probabilities differ by more than rounding
        tie_word_embeddings=True,
        bos_token_id=tiny_tokenizer.bos_token_id,
        eos_token_id=tiny_tokenizer.eos_token_id,
        pad_token_id=tiny_tokenizer.pad_token_id,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return LlamaForCausalLM(config).eval()


@pytest.fixture(scope="session")
def tiny_base_folder(tiny_tokenizer: PreTrainedTokenizerFast, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model and its tokenizer in a folder, as `--base FOLDER` takes it. To be read only."""
    folder = tmp_path_factory.mktemp("base") / "tiny"
    tiny_model.__wrapped__(tiny_tokenizer).save_pretrained(folder)  # type: ignore[attr-defined]
    tiny_tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def films_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The films of `tests/small_data.py` as a folder. To be read only."""
    return write_films(tmp_path_factory.mktemp("data") / "films")


@pytest.fixture(scope="session")
def films(films_folder: Path) -> Dataset:
    """The same, read."""
    from gpr.data.load import load

    return load(films_folder, cache=films_folder)


@pytest.fixture(scope="session")
def prompts(tiny_tokenizer: PreTrainedTokenizerFast, films: Dataset) -> Prompts:
    """Those of the films for the tiny tokenizer."""
    from gpr.lm.prompts import Prompts

    return Prompts(tiny_tokenizer, films.catalogue)


@pytest.fixture(scope="session")
def tiny_base(tiny_base_folder: Path) -> Base:
    """The tiny model, loaded as `--base FOLDER` loads it. To be read only."""
    from gpr.lm.base import load_base

    return load_base(str(tiny_base_folder), device="cpu")


@pytest.fixture(scope="session")
def cache_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def cache(cache_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder that is not the user's."""
    monkeypatch.setenv("GPR_CACHE", str(cache_root))
    return cache_root


@pytest.fixture(scope="session")
def trained(
    films_folder: Path, tiny_base_folder: Path, cache_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Workspace:
    """A workspace with the run `films`, trained for real on the tiny base model. Start no runs in it."""
    from gpr.workspace import Options, Workspace

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GPR_CACHE", str(cache_root))
        workspace = Workspace(tmp_path_factory.mktemp("workspace"), str(tiny_base_folder))
        options = Options(epochs=25, base=str(tiny_base_folder), learning_rate=1e-2, patience=0)
        workspace.train(str(films_folder), workspace.new_run_folder("films"), options, stop=lambda: False)
    return workspace


@pytest.fixture(scope="session")
def base_model() -> Base:
    """The real default model, for tests marked `model`. To be read only: leave it as it was."""
    from gpr.errors import GPRError
    from gpr.lm.base import load_base

    try:
        return load_base(device="cpu")
    except GPRError as error:
        pytest.fail(f"Tests marked `model` need the base model. {error}", pytrace=False)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The system's Chromium, for tests marked `browser`."""
    return shutil.which("chromium") or pytest.fail(
        "Tests marked `browser` need a Chromium on the PATH (Debian: apt-get install chromium).", pytrace=False
    )


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator[Browser]:
    """One headless Chromium for all tests."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=list(CHROMIUM_FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in a context of its own: no cookies or stored settings of other tests."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    yield context.new_page()
    context.close()
