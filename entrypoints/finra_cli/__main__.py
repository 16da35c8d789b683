"""`python -m finra_cli` is the `finra` command."""

import sys

from finra_cli.main import main

sys.exit(main())
