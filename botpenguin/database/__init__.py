"""What the project adds to SQLite and PostgreSQL."""
