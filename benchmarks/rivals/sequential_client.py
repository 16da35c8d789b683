"""`sequential_client.py URL QUESTIONS FOLDER`: ask for one page after the other and keep each as a file.

QUESTIONS: a query for weeklySummary a line. One connection, compressed answers: as good as such a loop gets.
"""

from __future__ import annotations

import gzip
import http.client
import sys
from pathlib import Path
from urllib.parse import urlsplit

PATH = "/data/group/otcMarket/name/weeklySummary"
HEADERS = {"Content-Type": "application/json", "Accept": "text/plain", "Accept-Encoding": "gzip"}


def main() -> None:
    """Ask all questions in their order."""
    url, questions, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    for number, question in enumerate(questions.read_text(encoding="utf-8").splitlines()):
        connection.request("POST", PATH, question, HEADERS)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != http.client.OK:
            raise RuntimeError(f"{answer.status}: {content[:200]!r}")
        if answer.getheader("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
        (folder / f"{number:04}.csv").write_bytes(content)
    connection.close()


if __name__ == "__main__":
    main()
