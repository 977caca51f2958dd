"""`python -m tests.soak`: calls at a set rate for a set time, with random faults; then the ledger against the register."""

import argparse
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.soak.run import Soak, Wish


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=6.0, help="calls a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sqlite", action="store_true", help="instead of PostgreSQL")
    parser.add_argument("--database-away", type=float, default=0.0, metavar="MINUTES",
                        help="stop PostgreSQL for so long, after the first minute, instead of all faults")
    asked = parser.parse_args()
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-")))
        wish = Wish(asked.minutes * 60, asked.rate, asked.seed, asked.sqlite, asked.database_away * 60)
        soak = stack.enter_context(Soak(home, wish))
        return 0 if soak.run() else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(f"a tool failed: {error}")
