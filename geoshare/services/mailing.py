"""E-mail to people of an organisation, by the operator's own mail server and no other.

Off unless the operator names a server. A message goes to the address that stands with the person who
asked, never to one that a request names; it says that something is ready and where, and carries no
data, no credential and no names of collections.
"""

from __future__ import annotations

import smtplib
import ssl
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final

from geoshare.access.credentials import Principal
from geoshare.errors import BadRequest, NotFound
from geoshare.services.outward import Refused

if TYPE_CHECKING:
    from geoshare.services import Services

EMAIL: Final = "email"  # what a request says to be told by it
TIMEOUT_S: Final = 10.0
_SUBJECT: Final = {"ja": "データの抽出が完了しました", "en": "Your extract is ready"}
_FAILED: Final = {"ja": "データの抽出ができませんでした", "en": "Your extract could not be made"}
_BODY: Final = {
    "ja": "{subject}。\n\n{where}\n\n受け取りにはログインが必要です。このメールには返信できません。\n",
    "en": "{subject}.\n\n{where}\n\nLog in to fetch it. Nobody reads answers to this.\n",
}


class Mail:
    """Tells people."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._settings = services.settings
        self._tls = ssl.create_default_context(cafile=self._settings.mail_ca)

    def ready(self, who: Principal) -> None:
        """Raise BadRequest unless the caller is a person with an address, and mail is sent at all."""
        if not self._settings.mail_host or self._address(who.person) is None:
            raise BadRequest(
                "There is no address of yours to write to.",
                parameter="notify",
                allowed="email for who is logged in and has an address, where the operator sends mail; "
                "the id of a webhook of yours",
                message_ja="通知できるメールアドレスがありません。",
            )

    def tell(self, person: str, job: str, *, done: bool) -> None:
        """Write to a person that a job is over. Raises NotFound, or Refused where no mail is taken."""
        found = self._services.governance.persons.person(person)
        address = self._address(person)
        if found is None or address is None:
            raise NotFound("No such person")
        language = found.language if found.language in _BODY else "ja"
        subject = (_SUBJECT if done else _FAILED)[language]
        base = self._settings.public_url.rstrip("/")
        message = EmailMessage()
        message["From"] = self._settings.mail_from
        message["To"] = _only(address)
        message["Subject"] = subject
        message["Date"] = format_datetime(
            datetime.fromtimestamp(self._services.clock.now_us() / 1e6, UTC)
        )
        message["Message-ID"] = f"<{job}@{self._settings.mail_from.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answers by machines
        where = f"{base}/jobs/{job}/result" if done else f"{base}/jobs/{job}"
        message.set_content(_BODY[language].format(subject=subject, where=where))
        self._send(message)

    def _send(self, message: EmailMessage) -> None:
        settings = self._settings
        if not settings.mail_host:
            raise Refused("mail is switched off")
        try:
            with self._line() as line:
                if settings.mail_security == "starttls":
                    line.starttls(context=self._tls)
                if settings.mail_user and settings.mail_password_file is not None:
                    password = settings.mail_password_file.read_text("utf-8").strip()
                    line.login(settings.mail_user, password)
                line.send_message(message)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise Refused(f"the mail was not taken ({type(error).__name__})") from error

    def _line(self) -> smtplib.SMTP:
        settings = self._settings
        if settings.mail_security == "tls":
            return smtplib.SMTP_SSL(
                settings.mail_host, settings.mail_port, timeout=TIMEOUT_S, context=self._tls
            )
        return smtplib.SMTP(settings.mail_host, settings.mail_port, timeout=TIMEOUT_S)

    def _address(self, person: str) -> str | None:
        """The address of a person who may still log in."""
        found = self._services.governance.persons.person(person) if person else None
        return None if found is None or found.disabled_us is not None else found.email


def _only(address: str) -> Address:
    """One address, whatever its text holds. Raises NotFound for what is none."""
    try:
        return Address(addr_spec=address)
    except (ValueError, IndexError, HeaderParseError) as error:
        raise NotFound("No such address") from error
