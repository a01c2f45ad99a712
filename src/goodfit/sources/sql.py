"""A database and a query: whatever SQLAlchemy reaches. The URL, which holds a password, comes from the environment."""

from contextlib import closing
from typing import Annotated

import pyarrow as pa
from pydantic import Field

from goodfit.sources.base import SOURCES, Source
from goodfit.sources.names import check_names
from goodfit.sources.values import CHUNK, Spool
from goodfit.stage import say

REMEDY = "Cast the column in the query: CAST(x AS double precision), CAST(x AS text)."


@SOURCES.register("sql")
class Sql(Source):
    """The rows of one query, read in chunks, in a transaction that is rolled back.

    A column has the type of its values: integers, floats, text, truth values, dates and times stay what they are;
    NUMERIC becomes int64 where all values are whole and the nearest float64 otherwise; UUID and network addresses
    become text; times with a zone become that instant in UTC. JSON, arrays, bytes and intervals are refused. Rows come
    in the order the database gives them: add ORDER BY a key if equal data must give equal files.

    Options:
        url_env: the name of the environment variable that holds the SQLAlchemy URL.
        query: a SELECT; a colon or a percent sign in it has no special meaning.
    """

    place = "the query of source.query"

    def __init__(
        self,
        *,
        url_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] = "DATABASE_URL",
        query: Annotated[str, Field(min_length=1)],
    ) -> None:
        self.url_env, self.query = url_env, query

    def read(self) -> pa.RecordBatchReader:
        """Run the query, keep its rows in a nameless file, and return them with the types that hold for all.

        Raises:
            ConfigurationError: no such variable, no URL in it, an unknown dialect, a query that fails.
            MachineError: the database's driver is not installed.
            ServiceError: the database does not answer, or refuses this user.
            DataError: a type that no table may have.
        """
        from goodfit.sources.database import query_rows, url_in  # SQLAlchemy takes a while to import

        url = url_in(self.url_env)
        say(f"{self.place}: DVC cannot see changes in a database; after a change there, run: dvc repro --force ingest.")
        chunks = query_rows(url, self.url_env, self.query, CHUNK)
        with closing(chunks), Spool(self.place, REMEDY) as spool:
            names = check_names(self.place, next(chunks), "Name it in the query: SELECT x AS name.")
            seen = 0
            for rows in chunks:
                spool.add(range(seen + 1, seen + len(rows) + 1), names, list(zip(*rows, strict=True)))
                seen += len(rows)
            return spool.reader(names)
