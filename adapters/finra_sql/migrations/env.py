"""What Alembic runs: the migrations, on the connection and in the transaction of `finra_sql.migrate.upgrade`."""

from alembic import context

from finra_sql.migrate import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
