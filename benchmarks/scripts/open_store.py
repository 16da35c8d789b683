"""`open_store.py STORE`: import the package, open a store, close it. What every run has to spend."""

import sys

from finra_core import open_store

open_store(sys.argv[1]).close()
