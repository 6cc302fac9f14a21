"""Where GPR keeps what it can make again: converted base models, unpacked samples. Knows nothing of what lies there."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """`$GPR_CACHE`, else `$XDG_CACHE_HOME/gpr`, else `~/.cache/gpr`. The folder need not exist yet."""
    if chosen := os.environ.get("GPR_CACHE"):
        return Path(chosen).expanduser().absolute()
    shared = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (shared if shared.is_absolute() else Path.home() / ".cache") / "gpr"
