"""The background roles, as `leadvibe worker` runs them: all, or one by `--role`."""

from __future__ import annotations

import sys

from leadvibe.cli import main

if __name__ == "__main__":
    main(["worker", *sys.argv[1:]], prog_name="worker.py")
