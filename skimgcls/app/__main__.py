"""``python -m skimgcls.app MODEL``."""

import sys

from skimgcls.app._command import main

if __name__ == "__main__":
    sys.exit(main())
