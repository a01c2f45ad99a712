"""A mail by an SMTP server."""

import smtplib
import socket
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Annotated, Any, Literal

from pydantic import Field

from goodfit.alerts.alert import Alert
from goodfit.alerts.channels.base import CHANNELS, TIMEOUT, Channel, Undelivered, Variable, secret
from goodfit.errors import Fault, printable

LOCAL = ("localhost", "127.0.0.1", "::1")
Address = Annotated[str, Field(pattern=r"^[^\s@<>,;:\"]+@[^\s@<>,;:\"]+$", max_length=254)]


@CHANNELS.register("email")
class Email(Channel):
    """A plain-text mail.

    Options:
        host: of the SMTP server.
        port: of the server.
        security: starttls, tls from the first byte, or none (to this machine's own server).
        sender: address that it comes from.
        recipients: addresses that it goes to.
        user_variable: environment variable that holds the user's name; null logs in as nobody.
        password_variable: environment variable that holds the password.
    """

    def __init__(
        self,
        *,
        host: Annotated[str, Field(min_length=1, max_length=253)],
        port: Annotated[int, Field(ge=1, le=65535)] = 587,
        security: Literal["starttls", "tls", "none"] = "starttls",
        sender: Address,
        recipients: Annotated[list[Address], Field(min_length=1)],
        user_variable: Variable | None = None,
        password_variable: Variable = "GOODFIT_SMTP_PASSWORD",
    ) -> None:
        self._host, self._port, self._security = host, port, security
        self._sender, self._recipients = sender, recipients
        self._user, self._password = user_variable, password_variable

    @staticmethod
    def check_options(options: Any) -> list[Fault]:
        """Refuse a password that would go over the network for everyone to read."""
        if options.user_variable and options.security == "none" and options.host not in LOCAL:
            rule = "would send the password in the clear"
            return [Fault("security", rule, "none", "Use starttls or tls, or log in as nobody.")]
        return []

    def send(self, alert: Alert) -> None:
        """Hand the mail to the server."""
        try:
            with self._connected() as server:
                if self._user:
                    server.login(secret(self._user), secret(self._password))
                server.send_message(self._message(alert))
        except smtplib.SMTPResponseException as error:
            raise Undelivered(f"the server answered {error.smtp_code}", lasting=error.smtp_code >= 500) from None
        except (OSError, smtplib.SMTPException) as error:
            raise Undelivered(f"the server cannot be used: {type(error).__name__}") from None

    def _connected(self) -> smtplib.SMTP:
        # named here: smtplib would ask the name server, which may keep us waiting
        name, context = socket.gethostname(), ssl.create_default_context()
        if self._security == "tls":
            return smtplib.SMTP_SSL(self._host, self._port, name, timeout=TIMEOUT, context=context)
        server = smtplib.SMTP(self._host, self._port, name, timeout=TIMEOUT)
        try:
            if self._security == "starttls":
                server.starttls(context=context)
        except BaseException:
            server.close()
            raise
        return server

    def _message(self, alert: Alert) -> EmailMessage:
        message = EmailMessage()
        message["Subject"], message["From"] = printable(alert.subject), self._sender
        message["To"], message["Date"] = ", ".join(self._recipients), formatdate()
        message["Message-ID"] = make_msgid(domain=self._sender.partition("@")[2])
        facts = "".join(f"{name}: {value}\n" for name, value in alert.facts.items())
        message.set_content(f"{alert.text}\n\n{facts}")
        return message
