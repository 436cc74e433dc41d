"""`python -m edge_sdk`, for where the command is not on the path."""

import sys

from edge_sdk.cli import main

sys.exit(main())
