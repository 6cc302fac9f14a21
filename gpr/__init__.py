"""GPR: turn any catalogue into an open-ended recommender, driven from a browser."""

import os

__version__ = "0.1.0"

# A thread that waits gives its core away. Otherwise two processes on the same cores (a run beside the page) slow each
# other down many times over. Read by OpenMP when torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
