"""The manifest: one row for each stage that a capture has passed, written with the stage's data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import insert

from finra_core.domain.anomalies import Stage
from finra_core.domain.partitions import DOMAIN
from finra_core.domain.scopes import Scope
from finra_sql.schema import manifest
from finra_sql.session import Session


def add(
    session: Session,
    *,
    scope: Scope,
    stage: Stage,
    capture_id: str,
    revision: int,
    row_count: int,
    at: datetime,
    metadata: Mapping[str, object],
) -> None:
    """Enter a stage."""
    session.execute(
        insert(manifest).values(
            domain=DOMAIN,
            partition_key=json.loads(scope.key),
            stage=stage.value,
            capture_id=capture_id,
            revision=revision,
            row_count=row_count,
            captured_at=at,
            metadata_json=dict(metadata),
        )
    )
