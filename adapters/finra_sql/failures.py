"""Our own errors in the place of the driver's, whatever statement, connection or commit raised them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, ExceptionContext, event

from finra_core.domain.errors import StoreError
from finra_sql.dialect import SqlDialect

_FAILURE = "finra_failure"


def translate_errors(engine: Engine, dialect: SqlDialect) -> None:
    """Have every error of this engine's driver raised as the StoreError that it is."""

    def raise_ours(context: ExceptionContext) -> None:
        error = dialect.translate(context.original_exception)
        if error is None or context.is_pre_ping:  # the pool replaces a connection that does not answer
            return
        if context.connection is not None:
            context.connection.info[_FAILURE] = error
        raise error from context.original_exception

    event.listen(engine, "handle_error", raise_ours)


@contextmanager
def translated(connection: Connection, dialect: SqlDialect) -> Iterator[None]:
    """The same for what is done with the driver's connection itself, past SQLAlchemy."""
    try:
        yield
    except Exception as driver_error:
        error = dialect.translate(driver_error)
        if error is None:
            raise
        connection.info[_FAILURE] = error
        raise error from driver_error


def take_failure(connection: Connection) -> StoreError | None:
    """The error of a statement on this connection since it was last asked."""
    failure: StoreError | None = connection.info.pop(_FAILURE, None)
    return failure
