"""A supervisor on a kernel that lacks something."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "cli"))

from supervised import orders, place, serve, spillring, supervisor, tmp_path  # noqa: E402, F401
