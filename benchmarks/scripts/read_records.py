"""`read_records.py STORE CAPTURE_ID`: a capture's records, as the library gives them; prints how many."""

from __future__ import annotations

import sys

from finra_core import open_store

with open_store(sys.argv[1], read_only=True) as store, store.read() as view:
    capture = next(capture for capture in view.captures() if capture.capture_id == sys.argv[2])
    sys.stdout.write(f"{len(view.records(capture))}\n")
