"""Ask a database server whether it lets us in: a wrong password does not pass by itself, as an outage does."""

from urllib.parse import urlsplit

from goodfit.errors import Fault, ServiceError

SECONDS = 5
"""How long a connection may take."""
REFUSALS = ("28P01", "28000", "3D000", "42501")
"""PostgreSQL's codes for a wrong password, an unknown user, an unknown database, and a missing right to use it."""


def ask(uri: str) -> None:
    """Connect once and leave.

    Raises:
        ServiceError: user, password or database are wrong, or the driver is missing; the message holds no password.
    """
    import sqlalchemy
    from sqlalchemy import exc

    try:
        engine = sqlalchemy.create_engine(
            uri, connect_args=_arguments(uri), poolclass=sqlalchemy.NullPool, hide_parameters=True
        )
        engine.connect().close()
    except exc.OperationalError as error:
        if _refused(error):
            raise _wrong(uri, f"refuses us: {_said(error, uri)}", "Correct user, password or database.") from None
    except (ImportError, exc.NoSuchModuleError) as error:
        remedy = "Install it; for PostgreSQL: pip install 'goodfit[postgresql]' and write postgresql+psycopg://."
        raise _wrong(uri, f"has no driver here: {error}", remedy) from None
    except exc.SQLAlchemyError:
        return  # whatever else it is, MLflow meets it too, and it may pass


def _arguments(uri: str) -> dict[str, int]:
    return {"connect_timeout": SECONDS} if urlsplit(uri).scheme.partition("+")[0] in ("postgresql", "mysql") else {}


def _refused(error: Exception) -> bool:
    """Return whether the server has answered, and said no. psycopg gives no code for a connection that failed."""
    cause = getattr(error, "orig", None)
    code = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    text = str(cause)
    said_no = ("authentication failed", "no password supplied", "does not exist", "permission denied", "Access denied")
    return code in REFUSALS or any(part in text for part in said_no)


def _said(error: Exception, uri: str) -> str:
    """Return the server's last line, which says why; the URI and its password are not in it."""
    text = str(getattr(error, "orig", error)).strip().splitlines()[-1].strip()
    secret = urlsplit(uri).password
    return text.replace(secret, "***") if secret else text


def _wrong(uri: str, rule: str, remedy: str) -> ServiceError:
    parts = urlsplit(uri)
    return ServiceError([Fault(f"tracking database at {parts.hostname}:{parts.port or 5432}", rule, None, remedy)])
