"""What the SQL stores share: tables, views, migrations and statements. Not a store by itself: see finra_sqlite."""
