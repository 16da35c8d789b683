"""What the system costs, side by side with the databases' own loaders and with what one would write by hand.

`python -m benchmarks` from the root of a checkout; docs/performance.md says how to read it.
"""

import sys
from pathlib import Path

# The server that tests and benchmarks start is one module, and the tests' folder is on no path of ours.
sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))
