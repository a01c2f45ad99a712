"""The part of the sql source that talks to SQLAlchemy; what a database says is told without any credential."""

import os
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import sqlalchemy
from sqlalchemy import exc

from goodfit.errors import ConfigurationError, Fault, MachineError, ServiceError

PLACE = "params.yaml: source"
CONNECT_SECONDS = 10
WITH_TIMEOUT = ("postgresql", "mysql", "mariadb")


def query_rows(url: sqlalchemy.URL, variable: str, query: str, size: int) -> Generator[Sequence[Any], None, None]:
    """Yield the column names, then the rows in lists of at most `size`; the transaction is rolled back.

    Raises:
        ConfigurationError: the query fails or returns no rows.
        MachineError: the database's driver is not installed.
        ServiceError: the database does not answer, or refuses this user.
    """
    with _connected(url, variable, size) as connection:
        try:
            result = connection.execute(sqlalchemy.text(query.replace(":", "\\:")))
            if not result.returns_rows:
                raise ConfigurationError([Fault(f"{PLACE}.query", "returns no rows", query, "Write a SELECT.")])
            yield list(result.keys())
            yield from result.partitions(size)
        except (exc.ProgrammingError, exc.NotSupportedError, exc.DataError, exc.InternalError) as error:
            raise _bad_query(error, url) from None
        except exc.OperationalError as error:
            if url.get_backend_name() == "sqlite":  # which calls an unknown table an operational error
                raise _bad_query(error, url) from None
            raise _no_service(error, url) from None
        except exc.DBAPIError as error:
            raise _no_service(error, url) from None


def url_in(variable: str) -> sqlalchemy.URL:
    """Return the URL that an environment variable holds.

    Raises:
        ConfigurationError: there is no such variable, no URL in it, or an SQLite file that does not exist.
    """
    place = f"{PLACE}.url_env"
    text = os.environ.get(variable, "")
    if not text:
        remedy = f"Set it, for example: export {variable}=postgresql+psycopg://user:password@host/database"
        raise ConfigurationError([Fault(place, "this environment variable is not set", variable, remedy)])
    try:
        url = sqlalchemy.make_url(text)
        url.get_dialect()
    except (exc.ArgumentError, ValueError):
        rule = f"the variable {variable} holds no SQLAlchemy URL (not shown: it may hold a password)"
        raise ConfigurationError(
            [Fault(place, rule, None, "Write dialect+driver://user:password@host/database")]
        ) from None
    if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).is_file():
        rule = f"the variable {variable} names an SQLite file that does not exist"
        raise ConfigurationError(
            [Fault(place, rule, url.database, "SQLite would make an empty one; name the right file.")]
        )
    return url


@contextmanager
def _connected(url: sqlalchemy.URL, variable: str, buffer: int) -> Iterator[sqlalchemy.Connection]:
    """Yield a connection that streams; its transaction is never committed."""
    timeout = {"connect_timeout": CONNECT_SECONDS} if url.get_backend_name() in WITH_TIMEOUT else {}
    try:
        engine = sqlalchemy.create_engine(
            url, connect_args=timeout, poolclass=sqlalchemy.NullPool, hide_parameters=True
        )
    except ImportError as error:
        remedy = "Install it, for PostgreSQL: pip install 'goodfit[postgresql]'"
        raise MachineError(
            [Fault(PLACE, f"the driver of the database is not installed: {error.name}", None, remedy)]
        ) from None
    try:
        connection = engine.connect()
    except Exception as error:
        raise _no_service(error, url, variable) from None
    with connection:
        yield connection.execution_options(stream_results=True, max_row_buffer=buffer)


def _bad_query(error: Exception, url: sqlalchemy.URL) -> ConfigurationError:
    return ConfigurationError(
        [Fault(f"{PLACE}.query", f"the database refuses it: {_said(error, url)}", None, "Correct the query.")]
    )


def _no_service(error: Exception, url: sqlalchemy.URL, variable: str = "") -> ServiceError:
    place = f"{url.get_backend_name()} database '{url.database}' at {url.host or 'this machine'}"
    remedy = (
        f"Look at the server, and at user, password and database in {variable}." if variable else "Look at the server."
    )
    return ServiceError([Fault(place, f"does not answer or refuses: {_said(error, url)}", None, remedy)])


def _said(error: Exception, url: sqlalchemy.URL) -> str:
    """Return what the database said, in one line, without the URL and its password in any spelling."""
    text = " ".join(str(getattr(error, "orig", None) or error).split("LINE 1:")[0].split())  # it shows the cursor's SQL
    password = str(url.password or "")
    secrets = {password, quote(password, safe=""), quote_plus(password), url.render_as_string(hide_password=False)}
    secrets |= {
        str(value) for key, value in url.query.items() if re.search("pass|secret|token|key", key, re.IGNORECASE)
    }
    for secret in sorted(secrets - {""}, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text.rstrip(".?")
