"""``python -m agi_scripts`` is ``ami-bridge-agi``."""

import sys

from agi_scripts.session import main

sys.exit(main())
