"""The API's own login to the database, which may read and nothing else.

The API only reads, in read-only transactions; with a login of its own, code that got into it could begin no other.
A migration makes the role that `READER_DB_URL` names and lets it read whatever tables are ours, those of later
migrations too.
"""

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from battlescope.database import Database, connect, one_line
from battlescope.errors import DatabaseError, MigrationError
from battlescope.migrate import exclusively

_MAY_WRITE = """
    SELECT r.rolsuper OR EXISTS (
        SELECT FROM pg_class c
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
            AND has_table_privilege(r.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
    )
    FROM pg_roles r WHERE r.rolname = %s
"""

_UNREADABLE = """
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
        AND pg_has_role(c.relowner, 'USAGE') AND NOT has_table_privilege(%s, c.oid, 'SELECT')
    ORDER BY c.relname
"""


def let_read(connection: Database, reader_db_url: str) -> None:
    """Make the login where there is none, and let it read. Safe to run twice and in parallel.

    A password is set only where the login is refused, so that one which is being rotated is left alone.

    Args:
        connection: to the migrated database, as its tables' owner.
        reader_db_url: the login's connection string, or the ARN of the secret that holds it.

    Raises:
        MigrationError: it names nobody, or somebody who may write; or the owner may make no roles; or the login is
            refused all the same.
        DatabaseError: the secret cannot be read.
    """
    named = conninfo_to_dict(_resolved(reader_db_url))
    role, password = named.get("user"), named.get("password")
    if not isinstance(role, str) or not role:
        raise MigrationError("READER_DB_URL names no user: postgresql://USER:password@host/name")
    try:
        with exclusively(connection):
            _make(connection, role)
            _grant(connection, role)
        if _refusal(reader_db_url) is not None and password:
            with exclusively(connection):
                _set_password(connection, role, str(password))
    except psycopg.Error as error:
        raise MigrationError(
            f"the role {role} of READER_DB_URL cannot be made or given what it needs ({one_line(error)}): "
            "does the role that DB_URL names have CREATEROLE?"
        ) from error
    if (refusal := _refusal(reader_db_url)) is not None:
        raise MigrationError(f"the role {role} of READER_DB_URL cannot log in: {refusal}")


def _make(connection: Database, role: str) -> None:
    may_write = connection.execute(_MAY_WRITE, (role,)).fetchone()
    if may_write is None:
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE").format(sql.Identifier(role))
        )
    elif may_write[0]:
        raise MigrationError(
            f"READER_DB_URL names {role}, which may write: it must name another role than DB_URL, "
            "and one that is not there yet is made"
        )


def _grant(connection: Database, role: str) -> None:
    row = connection.execute("SELECT current_schema()").fetchone()
    assert row is not None  # noqa: S101 - a query without FROM has one row
    schema, reader = sql.Identifier(row[0]), sql.Identifier(role)
    tables = [sql.Identifier(name) for (name,) in connection.execute(_UNREADABLE, (role,))]
    if not tables:
        return
    connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, reader))
    connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(sql.SQL(", ").join(tables), reader))
    connection.execute(
        sql.SQL("ALTER DEFAULT PRIVILEGES IN SCHEMA {} GRANT SELECT ON TABLES TO {}").format(schema, reader)
    )


def _set_password(connection: Database, role: str, password: str) -> None:
    # Hashed here, so that it stands in no log of the server.
    hashed = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    connection.execute(
        sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(hashed.decode()))
    )


def _refusal(reader_db_url: str) -> str | None:
    """Why the login cannot read; None where it can."""
    try:
        with connect(reader_db_url) as reader:
            reader.execute("SELECT FROM schema_migrations")
    except (DatabaseError, psycopg.Error) as error:
        return one_line(error)
    return None


def _resolved(reader_db_url: str) -> str:
    if not reader_db_url.startswith("arn:"):
        return reader_db_url
    from battlescope import database_secret  # noqa: PLC0415 - only on AWS

    return database_secret.resolve(reader_db_url, anew=True)
