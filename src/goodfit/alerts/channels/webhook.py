"""A POST to an address that chat services and incident tools give out."""

import http.client
import json
import urllib.error
import urllib.request
from typing import Any, Literal
from urllib.parse import urlsplit

from goodfit.alerts.alert import Alert
from goodfit.alerts.channels.base import CHANNELS, TIMEOUT, Channel, Undelivered, Variable, secret


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an error: it would carry the token to another server, or turn the POST into a GET."""

    def redirect_request(self, *_: Any) -> None:
        return None


@CHANNELS.register("webhook")
class Webhook(Channel):
    """A POST of JSON.

    Options:
        url_variable: environment variable that holds the address, which is a secret with most services.
        token_variable: environment variable that holds a bearer token; null sends none.
        form: text sends {"text": ...}, which Slack, Mattermost and Teams take; full sends every fact as well.
    """

    def __init__(
        self,
        *,
        url_variable: Variable = "GOODFIT_ALERT_URL",
        token_variable: Variable | None = None,
        form: Literal["text", "full"] = "text",
    ) -> None:
        self._url, self._token, self._form = url_variable, token_variable, form

    def send(self, alert: Alert) -> None:
        """POST the alert; any answer but 2xx is a failure."""
        url = secret(self._url)
        if urlsplit(url).scheme not in ("http", "https"):
            raise Undelivered(f"{self._url} holds no http(s) address", lasting=True)
        headers = {"Content-Type": "application/json", "User-Agent": "goodfit"}
        if self._token:
            headers["Authorization"] = f"Bearer {secret(self._token)}"
        body: dict[str, Any] = {"text": f"{alert.subject}\n{alert.text}"}
        if self._form == "full":
            body |= {"kind": alert.kind, "model": alert.model, "facts": dict(alert.facts)}
        try:
            request = urllib.request.Request(url, json.dumps(body, default=str).encode(), headers, method="POST")
            with urllib.request.build_opener(_NoRedirect).open(request, timeout=TIMEOUT):
                return
        except urllib.error.HTTPError as error:
            error.close()
            lasting = error.code < 500 and error.code not in (408, 429)
            raise Undelivered(f"the server answered {error.code}", lasting=lasting) from None
        except (OSError, ValueError, http.client.HTTPException) as error:  # its text may hold the address
            raise Undelivered(f"the server cannot be reached: {type(error).__name__}") from None
