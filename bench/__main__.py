"""`python -m bench [--quick] [NAME ...]`: run the benchmarks, or those named, and print what they find."""

import argparse
import importlib
import sys

from bench.report import heading

NAMES = ("ami", "agi", "calls", "memory", "registered", "sealing", "purge", "search", "console")


def main(arguments: list[str]) -> int:
    """Print a line for each finding as soon as it is there."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter runs, noisier figures")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)}; none: all")
    asked = parser.parse_args(arguments)
    unknown = set(asked.names) - set(NAMES)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}: choose of {', '.join(NAMES)}")
    print(heading(), flush=True)
    for name in asked.names or NAMES:
        for finding in importlib.import_module(f"bench.{name}").run(quick=asked.quick):
            print(finding, flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
