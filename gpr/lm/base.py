"""Base models: from a name, a folder or a hub id to a causal language model with its tokenizer, ready on a device.

It does not know prompts, catalogues or adapters. torch and transformers are imported when a model is asked for.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpr.errors import ModelError
from gpr.lm.install import DEFAULT_BASE, PACKAGED, converted_folder

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = ["DEFAULT_BASE", "Base", "choose_device", "load_base"]

HUB_SECONDS = 10
"""How long a hub may take to answer."""
_ADVICE = (
    f"Use '{DEFAULT_BASE}' (the default, English), 'gemma-3-270m' (many languages), "
    "or the folder of a model that was downloaded elsewhere."
)


@dataclass(frozen=True)
class Base:
    """A loaded base model."""

    model: PreTrainedModel
    """In evaluation mode, on `device`, and set to greedy decoding whatever its own generation config said."""
    tokenizer: PreTrainedTokenizerBase
    """Has a padding token. Some tokenizers put a beginning-of-sequence token first (Gemma), others none (SmolLM2)."""
    device: torch.device
    dtype: torch.dtype
    name: str
    """As it was asked for."""

    def in_precision(self, precision: str) -> Base:
        """The same in another number format: 'float32' or 'bfloat16'; any other word leaves the one it has."""
        import torch

        if precision not in ("float32", "bfloat16"):
            return self
        dtype = getattr(torch, precision)
        return replace(self, model=self.model.to(dtype), dtype=dtype)


def choose_device(asked: str | None = None) -> tuple[torch.device, torch.dtype]:
    """The device to use and its number format: CUDA (bfloat16 where the GPU has it), else Apple's MPS, else the CPU.

    Raises:
        ModelError: the device that was asked for is not there.
    """
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    try:
        device = torch.device(asked) if asked else torch.device(next(kind for kind, found in there.items() if found))
    except RuntimeError:
        device = None
    if device is None or not there.get(device.type) or (device.index or 0) >= max(1, torch.cuda.device_count()):
        usable = ", ".join(kind for kind, found in there.items() if found)
        raise ModelError(f"There is no device '{asked}' here.", hint=f"Choose one of: {usable}.")
    half = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return device, torch.bfloat16 if half else torch.float32


def halves_products(base: Base, precision: str = "auto") -> bool:
    """Whether training this model may compute products of matrices in bfloat16: nobody asked for another precision, and
    the CPU has instructions for it, which take half the time."""
    import torch

    from gpr.lm.lean import multiplies_bfloat16

    return precision == "auto" and base.dtype == torch.float32 and multiplies_bfloat16(base.device)


def load_base(name_or_path: str = DEFAULT_BASE, device: str | None = None, *, four_bit: bool = False) -> Base:
    """Loads a base model.

    Args:
        name_or_path: the name of a packaged model (`gpr.lm.install.PACKAGED`), a local folder, or a hub id. What the
            hub's local cache has is not asked of the hub. Only safetensors are read, and no code of a model is run.
        device: such as `cpu` or `cuda:1`; by default the best there is.
        four_bit: its linear maps in 4 bits each (NF4; Dettmers et al. 2023, arXiv:2305.14314), which LoRA can train on.

    Raises:
        ModelError: it cannot be had, is damaged, or is not a causal language model with its tokenizer.
        WorkspaceError: a packaged model cannot be converted, because the cache cannot be written to.
    """
    name = str(name_or_path).strip()
    _quiet()
    place, dtype = choose_device(device)
    how = four_bit_settings(place, dtype) if four_bit else {"dtype": dtype}
    if name in PACKAGED:
        model, tokenizer = _from_folder(converted_folder(PACKAGED[name]), how)
    elif _looks_like_a_path(name):
        model, tokenizer = _from_folder(Path(name).expanduser(), how)
    else:
        model, tokenizer = _from_hub(name, how)
    model = (model if four_bit else model.to(place)).eval()
    _check(model, tokenizer, name)
    _set_tokens(model, tokenizer)
    return Base(model, tokenizer, place, dtype, name)


def four_bit_settings(device: torch.device, dtype: torch.dtype) -> dict[str, Any]:
    """How `from_pretrained` is told to load 4-bit weights onto a GPU.

    Raises:
        ModelError: the device is no NVIDIA GPU, or bitsandbytes is missing.
    """
    if device.type != "cuda":
        said = f"4-bit weights need an NVIDIA GPU (CUDA), and this model is to run on the device '{device.type}'."
        raise ModelError(said, hint="Use another --precision: auto, float32 or bfloat16.")
    if not find_spec("bitsandbytes"):
        raise ModelError(
            "4-bit weights need the package bitsandbytes.", hint='Install it: pip install "bitsandbytes>=0.49".'
        )
    from transformers import BitsAndBytesConfig

    config = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )
    return {"dtype": dtype, "quantization_config": config, "device_map": {"": device}}


def _quiet() -> None:
    """No progress bars and no warnings from the libraries: the terminal and the log are ours."""
    os.environ.setdefault("TQDM_DISABLE", "1")
    from huggingface_hub.utils import logging as hub_logging
    from transformers.utils import logging

    hub_logging.set_verbosity_error()

    logging.set_verbosity_error()
    logging.disable_progress_bar()  # the hub's too


def _looks_like_a_path(name: str) -> bool:
    return name.startswith((".", "~", os.sep)) or "\\" in name or name.count("/") > 1 or Path(name).exists()


def _from_folder(folder: Path, how: dict[str, Any]) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    if not (folder / "config.json").is_file():
        what = (
            "This folder does not hold a model: it has no config.json."
            if folder.is_dir()
            else "There is no such folder."
        )
        raise ModelError(what, where=str(folder), hint=_ADVICE)
    try:
        return _read(str(folder), how, local=True)
    except ModelError:
        raise
    except Exception as error:  # the libraries raise what they like on a damaged file
        raise ModelError(
            f"The model in this folder cannot be read ({_first_line(error)}).",
            where=str(folder),
            hint="It needs config.json, *.safetensors and the tokenizer's files, undamaged; get them again.",
        ) from error


def _from_hub(name: str, how: dict[str, Any]) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    try:
        return _read(name, how, local=True)
    except (OSError, ValueError):  # not, or not wholly, in the hub's local cache
        pass
    try:
        from huggingface_hub import get_hf_file_metadata, hf_hub_url

        # Says at once whether the hub is there and has the model; reading would try again and again for half a minute.
        get_hf_file_metadata(hf_hub_url(name, "config.json"), timeout=HUB_SECONDS)
        return _read(name, how, local=False)
    except ModelError:
        raise
    except Exception as error:  # the hub's client raises errors of several libraries
        raise ModelError(
            f"There is no base model '{name}' here, and it cannot be had from a hub ({_first_line(error)}).",
            hint=_ADVICE,
        ) from error


def _read(source: str, how: dict[str, Any], *, local: bool) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING

    safe: dict[str, Any] = {"local_files_only": local, "trust_remote_code": False}
    config = AutoConfig.from_pretrained(source, **safe)
    if type(config) not in MODEL_FOR_CAUSAL_LM_MAPPING or config.is_encoder_decoder:
        raise _not_causal(source)
    tokenizer = AutoTokenizer.from_pretrained(source, **safe)
    model, loading = AutoModelForCausalLM.from_pretrained(
        source, config=config, use_safetensors=True, output_loading_info=True, **how, **safe
    )
    if loading["missing_keys"]:
        raise ModelError(
            f"The model lacks weights, among them {min(loading['missing_keys'])}.",
            where=source,
            hint="Use the whole model, with its language-model head.",
        )
    return model, tokenizer


def _check(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, name: str) -> None:
    """Refuses what loads but does not work: a wrong tokenizer, broken weights, a model that sees the future."""
    import torch

    rows = model.get_input_embeddings().weight.shape[0]
    if not len(tokenizer) or len(tokenizer) > rows:
        raise ModelError(
            f"The tokenizer has {len(tokenizer):,} tokens and the model {rows:,}.",
            where=name,
            hint="Put the tokenizer's files that belong to the model in its folder.",
        )
    pair = torch.tensor([[0, 1, 2], [0, 1, 3]], device=model.device).clamp(max=rows - 1)  # (2, T)
    with torch.inference_mode():
        logits = model(input_ids=pair, use_cache=False).logits.float()  # (2, T, vocabulary)
    if not torch.isfinite(logits).all():
        raise ModelError("The model's weights are broken: it gives no finite numbers.", where=name, hint=_ADVICE)
    spread = logits.std()
    if (logits[0, :2] - logits[1, :2]).abs().max() > 1e-2 * spread:
        raise _not_causal(name)


def _not_causal(name: str) -> ModelError:
    return ModelError("This is not a causal (left-to-right) language model.", where=name, hint=_ADVICE)


def _set_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    from transformers import GenerationConfig

    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.convert_ids_to_tokens(0)
    model.config.pad_token_id = tokenizer.pad_token_id
    # An instruct model's own generation config may sample, and penalise repetition.
    model.generation_config = GenerationConfig(
        do_sample=False,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:200].rstrip(".")
