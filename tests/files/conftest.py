"""A folder to put files in, and files as FINRA writes them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest

from finra_files import FileSource, open_source


class Folder:
    """A folder of files, the source over it, and files as FINRA writes them."""

    DOWNLOAD_HEADER = (
        "tierDescription|issueSymbolIdentifier|issueName|marketParticipantName|MPID|"
        "totalWeeklyShareQuantity|totalWeeklyTradeCount|lastUpdateDate"
    )
    NON_ATS_HEADER = DOWNLOAD_HEADER.replace("|MPID|", "|firmCRDNumber|")
    API_HEADER = (
        "weekStartDate,tierIdentifier,summaryTypeCode,issueSymbolIdentifier,issueName,MPID,firmCRDNumber,"
        "totalWeeklyShareQuantity,totalWeeklyTradeCount,lastUpdateDate"
    )

    @staticmethod
    def row(symbol: str = "AABB", *, tier: str = "OTC", updated: str = "2025-12-15", mpid: str = "OTCN") -> str:
        """One row of a download."""
        return f"{tier}|{symbol}|Asia Broadband Inc Common Stock|{mpid} OTC LINK|{mpid}|6753871|171|{updated}"

    @staticmethod
    def firm_row(symbol: str = "AABB", *, crd: str = "8209", updated: str = "2025-12-15") -> str:
        """One row of a download of non-ATS volume."""
        return f"OTC|{symbol}|Asia Broadband Inc Common Stock|VIRTU AMERICAS LLC|{crd}|1000|10|{updated}"

    @staticmethod
    def api_row(
        symbol: str = "AAPL", *, monday: str = "2025-11-10", tier: str = "T1", kind: str = "ATS_W_SMBL_FIRM"
    ) -> str:
        """One row of the API's CSV."""
        return f"{monday},{tier},{kind},{symbol},Apple Inc. Common Stock,JPBX,,21779,241,2025-12-01"

    @staticmethod
    def document(header: str, *rows: str, end: str = "\n") -> bytes:
        """A header and its rows, each line ended by `end`."""
        return "".join(line + end for line in (header, *rows)).encode()

    def __init__(self, path: Path) -> None:
        self.path = path

    def put(self, name: str, content: bytes) -> Path:
        """Write a file, and the folders that hold it."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def download(self, name: str, *rows: str) -> Path:
        """Write a file in the layout of FINRA's downloads."""
        return self.put(name, self.document(self.DOWNLOAD_HEADER, *(rows or (self.row(),))))

    def source(self) -> FileSource:
        """A new source over the folder."""
        return open_source(f"file:{quote(str(self.path))}", {})


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)
