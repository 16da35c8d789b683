"""Our own errors in the place of the driver's, whatever statement, connection or commit raised them."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, ExceptionContext, event

from finra_core.errors import StoreError
from finra_sql.dialect import SqlDialect

_FAILURE = "finra_failure"


def translate_errors(engine: Engine, dialect: SqlDialect) -> None:
    """Have every error of this engine's driver raised as the StoreError that it is."""

    def raise_ours(context: ExceptionContext) -> None:
        error = dialect.translate(context.original_exception)
        if error is None:
            return
        if context.connection is not None:
            context.connection.info[_FAILURE] = error
        raise error from context.original_exception

    event.listen(engine, "handle_error", raise_ours)


def take_failure(connection: Connection) -> StoreError | None:
    """The error of a statement on this connection since it was last asked."""
    failure: StoreError | None = connection.info.pop(_FAILURE, None)
    return failure
