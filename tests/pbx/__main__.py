"""`python -m tests.pbx provision [release]`: make the root file system ready and print where it is."""

import sys

from tests.pbx.rootfs import ProvisionError, promtool, provision

USAGE = "usage: python -m tests.pbx provision [forky|bullseye]"


def main(arguments: list[str]) -> int:
    if not 1 <= len(arguments) <= 2 or arguments[0] != "provision":
        print(USAGE, file=sys.stderr)
        return 2
    try:
        promtool()
        print(provision(*arguments[1:]))
    except ProvisionError as failed:
        print(f"pbx: {failed}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
