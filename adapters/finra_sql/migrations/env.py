"""What Alembic runs: the migrations, as `finra_sql.migrate` has set them up."""

from alembic import context

context.configure(**context.config.attributes["target"])
with context.begin_transaction():
    context.run_migrations()
    context.config.attributes["afterwards"](context.execute)
