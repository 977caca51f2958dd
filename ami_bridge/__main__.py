"""``python -m ami_bridge`` is ``ami-bridge``."""

from ami_bridge.cli import main

main()
