"""Alerts arrive, hold no secret, are not repeated, and never harm the retrain; by real HTTP and SMTP."""

import json
import socketserver
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from goodfit.alerts import Alert, AlertsSection, notify
from goodfit.alerts import sending as sending_module
from goodfit.cli.alerting import alerting
from goodfit.errors import ConfigurationError, DataError, Fault, Interrupted
from goodfit.params import check
from goodfit.registry import Section
from goodfit.retraining.outcome import Outcome

LOGIN = {"user_variable": "USER"}
PROMOTION = Alert("promotion", "churn", "promoted: it is better. Champion: version 2.", {"version": 2})


class Hook(ThreadingHTTPServer):
    """Takes POSTs; answers with the statuses it was told to, then 200."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[int] = []

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # without asking the name server for our name

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook/s3cr3t-path"


class Handler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        self.server.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.server.headers.append(dict(self.headers))
        status = self.server.answers.pop(0) if self.server.answers else 200
        self.send_response(status)
        if status == 302:
            self.send_header("Location", self.server.url)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


class Mailbox(socketserver.ThreadingTCPServer):
    """Takes mail as SMTP has it, without TLS."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.mails: list[tuple[str, list[str], str]] = []
        self.refuse = b""


class Session(socketserver.StreamRequestHandler):
    server: Mailbox

    def handle(self) -> None:
        self.say(b"220 sink")
        sender, recipients = "", []
        while line := self.rfile.readline():
            verb, _, rest = line.decode().strip().partition(" ")
            if verb.upper() == "DATA":
                self.say(b"354 go on")
                lines = []
                while (part := self.rfile.readline()) != b".\r\n":
                    lines.append(part)
                self.server.mails.append((sender, recipients, b"".join(lines).decode()))
            elif verb.upper() == "MAIL":
                if self.server.refuse:
                    self.say(self.server.refuse)
                    continue
                sender = rest
            elif verb.upper() == "RCPT":
                recipients.append(rest)
            self.say(b"250 sink" if verb.upper() != "QUIT" else b"221 bye")

    def say(self, line: bytes) -> None:
        self.wfile.write(line + b"\r\n")


def running(server: Any) -> Iterator[Any]:
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    server = Hook()
    monkeypatch.setenv("GOODFIT_ALERT_URL", server.url)
    monkeypatch.setattr(sending_module, "PAUSES", (0.01, 0.01))
    yield from running(server)


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    monkeypatch.setattr(sending_module, "PAUSES", (0.01, 0.01))
    yield from running(Mailbox())


def section(*channels: dict[str, Any], **options: Any) -> AlertsSection:
    class Params(Section):
        alerts: AlertsSection

    return check(
        {"alerts": {"channels": list(channels) or [{"kind": "webhook"}], **options}}, Params, "params.yaml"
    ).alerts


def by_mail(mailbox: Mailbox, **options: Any) -> dict[str, Any]:
    port = mailbox.server_address[1]
    people = {"sender": "goodfit@example.org", "recipients": ["a@example.org", "b@example.org"]}
    return {"kind": "email", "host": "127.0.0.1", "port": port, "security": "none", **people, **options}


def test_a_webhook_gets_a_text(hook: Hook, tmp_path: Path) -> None:
    assert notify(section(), PROMOTION, tmp_path) == []
    assert hook.bodies == [{"text": "goodfit: promotion: model 'churn'\npromoted: it is better. Champion: version 2."}]


def test_a_webhook_gets_the_facts_and_a_token(hook: Hook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_TOKEN", "t0ken-of-the-hook")
    channel = {"kind": "webhook", "form": "full", "token_variable": "HOOK_TOKEN"}
    assert notify(section(channel), PROMOTION, tmp_path) == []
    assert hook.bodies[0] | {"text": ""} == {"text": "", "kind": "promotion", "model": "churn", "facts": {"version": 2}}
    assert hook.headers[0]["Authorization"] == "Bearer t0ken-of-the-hook"


def test_a_mail_arrives(mailbox: Mailbox, tmp_path: Path) -> None:
    assert notify(section(by_mail(mailbox)), PROMOTION, tmp_path) == []
    ((sender, recipients, text),) = mailbox.mails
    assert "goodfit@example.org" in sender and len(recipients) == 2
    assert "Subject: goodfit: promotion: model 'churn'" in text and "it is better" in text and "version: 2" in text


def test_secrets_are_masked_everywhere(
    hook: Hook, mailbox: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_PASSWORD", "geheim-123456")
    text = (
        "cannot reach postgresql://me:hunter2secret@db/x with geheim-123456\x1b]0;forged\x07\nBearer abcdef1234567890"
    )
    alert = Alert(
        "failure",
        "churn\r\nBcc: evil@example.org",
        text,
        {"password": "geheim-123456", "url": "https://x/?token=abcdefgh"},
    )
    channels = {"kind": "webhook", "form": "full"}, by_mail(mailbox)
    assert notify(section(*channels), alert, tmp_path) == []
    sent = json.dumps(hook.bodies) + mailbox.mails[0][2]
    assert "***" in sent
    for secret in ("hunter2secret", "geheim-123456", "abcdef1234567890", "abcdefgh", "\x1b", "\\u001b"):
        assert secret not in sent, secret
    assert "\nBcc:" not in mailbox.mails[0][2] and len(mailbox.mails[0][1]) == 2


def test_a_server_that_stumbles_is_asked_again(hook: Hook, tmp_path: Path) -> None:
    hook.answers = [503, 429]
    assert notify(section(), PROMOTION, tmp_path) == []
    assert len(hook.bodies) == 3


@pytest.mark.parametrize("status", [400, 404, 302])
def test_a_server_that_refuses_is_not_asked_again(hook: Hook, tmp_path: Path, status: int, capsys: Any) -> None:
    hook.answers = [status] * 5
    (fault,) = notify(section(), PROMOTION, tmp_path)
    assert fault == f"webhook: not delivered: the server answered {status}"
    assert len(hook.bodies) == 1, "a redirect is not followed either"
    assert "s3cr3t" not in capsys.readouterr().err


def test_a_channel_that_fails_does_not_hold_up_the_other(
    hook: Hook, mailbox: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("GOODFIT_ALERT_URL", "http://127.0.0.1:9/s3cr3t-path")
    (fault,) = notify(section({"kind": "webhook"}, by_mail(mailbox)), PROMOTION, tmp_path)
    assert "webhook: not delivered: the server cannot be reached" in fault
    assert len(mailbox.mails) == 1
    assert "s3cr3t" not in capsys.readouterr().err
    monkeypatch.delenv("GOODFIT_ALERT_URL")
    (fault,) = notify(section(), PROMOTION, tmp_path)
    assert "the environment variable GOODFIT_ALERT_URL is not set" in fault
    monkeypatch.setenv("GOODFIT_ALERT_URL", "file:///etc/passwd")
    (fault,) = notify(section(), PROMOTION, tmp_path)
    assert "holds no http(s) address" in fault


def test_a_mail_server_that_refuses(mailbox: Mailbox, tmp_path: Path) -> None:
    mailbox.refuse = b"550 no such user"
    assert notify(section(by_mail(mailbox)), PROMOTION, tmp_path) == ["email: not delivered: the server answered 550"]


def test_a_mail_server_without_tls_is_not_told_by_default(mailbox: Mailbox, tmp_path: Path) -> None:
    (fault,) = notify(section(by_mail(mailbox, security="starttls")), PROMOTION, tmp_path)
    assert "SMTPNotSupportedError" in fault and not mailbox.mails


def test_the_same_thing_is_told_again_after_a_while_and_promotions_always(
    hook: Hook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failure = Alert("failure", "churn", "it failed")
    now = [1_000_000.0]
    monkeypatch.setattr(sending_module.time, "time", lambda: now[0])
    for hours, count in ((0, 1), (1, 1), (23, 1), (25, 2), (26, 2)):
        now[0] = 1_000_000.0 + hours * 3600
        notify(section(), failure, tmp_path)
        assert len(hook.bodies) == count
    notify(section(), Alert("failure", "churn", "otherwise"), tmp_path)
    assert len(hook.bodies) == 3
    for _ in range(2):
        notify(section(), PROMOTION, tmp_path)
    assert len(hook.bodies) == 5


def test_what_did_not_arrive_is_told_the_next_time(hook: Hook, tmp_path: Path) -> None:
    failure = Alert("failure", "churn", "it failed")
    hook.answers = [400]
    assert notify(section(), failure, tmp_path)
    assert notify(section(), failure, tmp_path) == []
    assert len(hook.bodies) == 2


def test_what_is_not_asked_for_is_not_told(hook: Hook, tmp_path: Path) -> None:
    assert notify(section(on=["failure"]), PROMOTION, tmp_path) == []
    assert hook.bodies == []


@pytest.mark.parametrize(
    "channel",
    [
        {"kind": "webhook", "url": "https://hooks.example.org/secret"},
        {"kind": "webhook", "url_variable": "https://hooks.example.org/secret"},
        {"kind": "pigeon"},
        {"kind": "email", "host": "mail", "sender": "a@b.c", "recipients": []},
        {"kind": "email", "host": "mail", "sender": "a@b.c\nBcc: x@y.z", "recipients": ["a@b.c"]},
        {"kind": "email", "host": "m.org", "sender": "a@b.c", "recipients": ["a@b.c"], "security": "none", **LOGIN},
    ],
)
def test_settings_that_are_wrong_are_refused(channel: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"params\.yaml: alerts\.channels"):
        section(channel)


PARAMS = "alerts: {stale_days: 10, channels: [{kind: webhook}]}\ntracking: {experiment: x, model_name: churn}\n"


@pytest.fixture
def root(tmp_path: Path, hook: Hook) -> Path:
    (tmp_path / "params.yaml").write_text(PARAMS)
    return tmp_path


def kinds(hook: Hook) -> list[str]:
    return [body["text"].split(": ")[1] for body in hook.bodies]


def told(root: Path, outcome: Outcome, **options: bool) -> None:
    with alerting(root, **options) as tell:
        tell(outcome)


def test_a_retrain_tells_promotion_and_drift(root: Path, hook: Hook) -> None:
    told(root, Outcome("promoted", "better", 2, 2, drift={"drifted": ["age", "income"]}))
    assert kinds(hook) == ["drift", "promotion"]
    assert "2 columns of the new rows have drifted: age, income." in hook.bodies[0]["text"]
    told(root, Outcome("nothing_new", "better"))
    assert kinds(hook) == ["drift", "promotion"]


def test_a_champion_that_grows_old_is_told_on_nights_without_data_too(
    root: Path, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(root, Outcome("promoted", "better", 2, 2))
    later = time.time() + 11 * 86_400
    monkeypatch.setattr("time.time", lambda: later)
    for _ in range(2):
        told(root, Outcome("nothing_new", "as before"))
    assert kinds(hook) == ["promotion", "stale"]
    assert "version 2, was made more than 10 days ago" in hook.bodies[1]["text"]


def test_a_failure_is_told_and_goes_on_its_way(root: Path, hook: Hook) -> None:
    with pytest.raises(DataError, match="is broken"), alerting(root):
        raise DataError([Fault("input/rows.csv", "is broken")])
    assert kinds(hook) == ["failure"]
    assert "exit code 3; the champion stays.\ninput/rows.csv: is broken." in hook.bodies[0]["text"]


@pytest.mark.parametrize("error", [Interrupted(15), KeyboardInterrupt()])
def test_a_person_who_stops_it_is_told_nothing(root: Path, hook: Hook, error: BaseException) -> None:
    with pytest.raises(type(error)), alerting(root):
        raise error
    assert hook.bodies == []


def test_a_dry_run_tells_nobody(root: Path, hook: Hook) -> None:
    told(root, Outcome("promoted", "better", 2, 2), quiet=True)
    with pytest.raises(DataError), alerting(root, quiet=True):
        raise DataError("x")
    assert hook.bodies == []


def test_settings_that_cannot_be_read_hide_no_failure(root: Path, hook: Hook, capsys: Any) -> None:
    (root / "params.yaml").write_text("alerts: {chanels: []}\n")
    with pytest.raises(DataError), alerting(root):
        raise DataError("x")
    assert "alerts: nobody can be told: params.yaml: alerts.chanels" in capsys.readouterr().err
