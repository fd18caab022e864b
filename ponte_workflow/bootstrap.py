"""The composition root: settings in, one frozen object out. Everything above it takes what it needs from here."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from ponte_workflow.config import Settings, private_on_the_way
from ponte_workflow.errors import BadConfiguration, BadInput
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import use_language
from ponte_workflow.services.pathways import Pathways
from ponte_workflow.services.patience import Patience
from ponte_workflow.store import keycheck, migrate
from ponte_workflow.store.crypto import FieldCipher, load_keys
from ponte_workflow.store.engine import Store, open_engine, reachable
from ponte_workflow.store.network import quarters

if TYPE_CHECKING:
    from notifications.channels import Channel
    from notifications.channels.alerts import Alerts
    from notifications.channels.imap import ImapMailbox
    from notifications.channels.letter import LetterChannel
    from notifications.channels.mailbox import Mailbox
    from notifications.channels.pec import PecChannel
    from notifications.channels.sms import Gateway
    from notifications.channels.webhook import WebhookChannel
    from ponte_workflow.services.delivery import Courtesy
    from ponte_workflow.services.night import Plan
    from ponte_workflow.services.single_sign_on import Provider
    from ponte_workflow.services.wording import Writer
    from states.detection import DetectionParameters
    from states.pagopa import NoticeIssuer

SMS_SENDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ]{0,10}|\+?[0-9]{3,15}")


@dataclass(frozen=True)
class Ponte:
    """A running Ponte: settings, store, pathways. Made by `open_ponte`."""

    settings: Settings
    store: Store
    pathways: Pathways

    @property
    def mails(self) -> Path:
        """Where mails lie when there is no SMTP server."""
        return self.settings.folder / "mails"

    @property
    def rejects(self) -> Path:
        """Where refused lines of imports lie, to be mended."""
        return self.settings.folder / "rejects"

    def detection_parameters(self) -> "dict[str, DetectionParameters]":
        """Quarter code -> parameters of detection."""
        with self.store.transaction() as tx:
            return self.pathways.detection_parameters({q.code: q.pathway for q in quarters(tx)})

    def night_plan(self, runner: str) -> "Plan":
        """How nights run here."""
        from ponte_workflow.services.night import Plan

        settings = self.settings
        return Plan(
            self.store,
            self.pathways,
            settings.folder / "night.lock",
            runner,
            ledger_max_age_days=settings.ledger_max_age_days,
            batch_size=settings.batch_size,
            shards=self.shards,
            lease_seconds=settings.lease_seconds,
            patience=settings.database_patience,
            heartbeat=self.heartbeat,
        )

    @cached_property
    def heartbeat(self) -> "Callable[[], None] | None":
        """The sign of life to a watcher outside; None when there is none."""
        from notifications.channels.heartbeat import heartbeat

        url = self.settings.heartbeat_url
        return heartbeat(url.get_secret_value()) if url else None

    @property
    def shards(self) -> int:
        """How many shards nights and deliveries have. SQLite has one writer: shards would only wait for each other."""
        return self.settings.shards if self.store.is_postgresql else 1

    @property
    def short_messages(self) -> Path:
        """Where SMS lie when the gateway is one that writes files."""
        return self.settings.folder / "sms"

    @cached_property
    def channels(self) -> "dict[str, Channel]":
        """The ways out by name: mail, letters and the inbox always, SMS and certified mail when they are set."""
        from notifications.channels.inbox import InboxChannel
        from notifications.channels.sms import SmsChannel

        found: dict[str, Channel] = {"email": self._mail(), "inbox": InboxChannel(), "letter": self.letter_channel()}
        if self.sms_gateway is not None:
            found["sms"] = SmsChannel(self.sms_gateway, self.settings.sms_from)
        if (certified := self.pec_channel()) is not None:
            found["pec"] = certified
        return found

    @property
    def prices(self) -> dict[str, int]:
        """Cents for each piece, by channel."""
        settings = self.settings
        return {"sms": settings.sms_cents, "pec": settings.pec_cents, "letter": settings.letter_cents}

    @cached_property
    def ibans(self) -> Mapping[str, str]:
        """Creditor -> IBAN. Refuses one that cannot be."""
        from ponte_workflow.services.ibans import read_ibans

        return read_ibans(self.settings.ibans)

    @cached_property
    def notice_issuer(self) -> "NoticeIssuer":
        """Who numbers pagoPA notices. Refuses a setting that cannot be read, and to issue without one."""
        from states.pagopa import OwnIssuer, read_bodies

        try:
            bodies = read_bodies(self.settings.pagopa)
        except ValueError as error:
            raise BadConfiguration(_("PONTE_PAGOPA: {why}").format(why=error)) from error
        if not bodies:
            raise BadInput(
                _("Notices need PONTE_PAGOPA: NAME=tax code/segregation code of each creditor, with semicolons between")
            )
        return OwnIssuer(bodies)

    @cached_property
    def sms_gateway(self) -> "Gateway | None":
        """The gateway for SMS; None when none is set. Refuses an address that would show texts to the network."""
        settings = self.settings
        if settings.sms_url is None:
            return None
        if SMS_SENDER.fullmatch(settings.sms_from) is None:
            raise BadConfiguration(_("PONTE_SMS_FROM is a number, or a name of at most eleven letters and figures"))
        if settings.sms_url == "files":
            from notifications.channels.sms import FileGateway

            return FileGateway(self.short_messages)
        from notifications.channels.http_sms import HttpGateway

        if not private_on_the_way(settings.sms_url):
            raise BadConfiguration(_("PONTE_SMS_URL must begin with https://, or be the word files"))
        token = settings.sms_token.get_secret_value() if settings.sms_token else None
        return HttpGateway(settings.sms_url, token, settings.sms_timeout)

    @cached_property
    def mailbox(self) -> "Mailbox | None":
        """Where mails come back; None when that is not set."""
        from notifications.channels.mailbox import mailbox_at

        settings = self.settings
        if settings.bounces is None:
            return None
        password = settings.bounces_password.get_secret_value() if settings.bounces_password else ""
        try:
            return mailbox_at(settings.bounces, password, cafile=settings.smtp_cafile)
        except ValueError as error:
            raise BadConfiguration(_("PONTE_BOUNCES cannot be read: {why}").format(why=error)) from error

    @cached_property
    def alerts(self) -> "Alerts | None":
        """The way to tell whoever looks after the machine; None when there is none."""
        return alerts_of(self.settings)

    def _mail(self) -> "Channel":
        """SMTP when a host is set, else .eml files in a folder."""
        from notifications.channels import FileChannel, SmtpChannel

        settings = self.settings
        if settings.smtp_host is None:
            return FileChannel(self.mails)
        return SmtpChannel(
            settings.smtp_host,
            settings.smtp_port,
            security=settings.smtp_tls,
            user=settings.smtp_user,
            password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
            timeout=settings.smtp_timeout,
            cafile=settings.smtp_cafile,
        )

    def pec_channel(self) -> "PecChannel | None":
        """Certified mail; None when no server is set for it."""
        from notifications.channels import SmtpChannel
        from notifications.channels.pec import PecChannel
        from ponte_workflow.services.certified_mail import keeper

        settings = self.settings
        if settings.pec_smtp_host is None:
            return None
        user, password = self._pec_login()
        server = SmtpChannel(
            settings.pec_smtp_host,
            settings.pec_smtp_port,
            security="tls",
            user=user,
            password=password,
            timeout=settings.pec_timeout,
            cafile=settings.pec_cafile,
        )
        assert settings.pec_address is not None
        return PecChannel(server, settings.pec_address, keeper(self.store))

    def pec_mailbox(self) -> "ImapMailbox | None":
        """Where receipts of certified mail arrive; None when no server is set for it."""
        from notifications.channels.imap import ImapMailbox

        settings = self.settings
        if settings.pec_imap_host is None:
            return None
        user, password = self._pec_login()
        return ImapMailbox(
            settings.pec_imap_host,
            settings.pec_imap_port,
            user,
            password,
            settings.pec_imap_folder,
            settings.pec_timeout,
            settings.pec_cafile,
        )

    def letter_channel(self) -> "LetterChannel":
        """Letters, which wait until people print and post them."""
        from notifications.channels.letter import LetterChannel
        from notifications.letters import Letterhead
        from ponte_workflow.services.letters import keeper

        settings = self.settings
        lines = [line.strip() for line in settings.letter_sender.split(";") if line.strip()]
        lines.append(f"tel. {settings.phone}")
        head = Letterhead(settings.office, tuple(lines), settings.letter_place, settings.letter_town)
        return LetterChannel(head, keeper(self.store))

    def _pec_login(self) -> tuple[str, str]:
        settings = self.settings
        if settings.pec_address is None or settings.pec_password is None:
            raise BadConfiguration(_("Certified mail needs PONTE_PEC_ADDRESS and PONTE_PEC_PASSWORD"))
        return settings.pec_user or settings.pec_address, settings.pec_password.get_secret_value()

    @cached_property
    def single_sign_on(self) -> "Provider | None":
        """The OpenID provider; None when there is none."""
        # Imported late: only the web application signs people in.
        from ponte_workflow.services.single_sign_on import Provider

        settings = self.settings
        if settings.oidc_issuer is None:
            return None
        if settings.oidc_client_id is None:
            raise BadConfiguration(_("PONTE_OIDC_ISSUER is set, but not PONTE_OIDC_CLIENT_ID"))
        secret = settings.oidc_client_secret
        return Provider(
            settings.oidc_issuer,
            settings.oidc_client_id,
            secret.get_secret_value() if secret else None,
            settings.oidc_username_claim,
        )

    def webhook_channel(self) -> "WebhookChannel":
        """The way to other programs."""
        from notifications.channels.webhook import WebhookChannel

        return WebhookChannel(private=self.settings.webhook_private)

    def writer(self) -> "Writer":
        """Reads names and addresses when a message is about to leave."""
        from ponte_workflow.services.choosing import Ways
        from ponte_workflow.services.wording import Writer

        settings = self.settings
        order = tuple(one.strip() for one in settings.legal_channels.split(",") if one.strip())
        if set(order) - {"email", "pec", "letter"} or not order:
            raise BadConfiguration(_("PONTE_LEGAL_CHANNELS holds some of: pec, email, letter"))
        ways = Ways(frozenset(self.channels) - {"inbox"}, order)
        return Writer(self.pathways, settings.office, settings.phone, settings.ledger_max_age_days, ways)

    def courtesy(self) -> "Courtesy":
        """When households may be written to."""
        from ponte_workflow.services.delivery import Courtesy
        from states.calendars import LegalCalendar

        calendar = LegalCalendar(saturdays=False)
        base = self.pathways.current("un_ponte_sul_blu").document
        return Courtesy(calendar.is_holiday, cap=base.messages.weekly_cap)


def alerts_of(settings: Settings) -> "Alerts | None":
    """The way to tell whoever looks after the machine, also where nothing else works; None when there is none."""
    from notifications.channels.alerts import AppriseAlerts

    urls = settings.alert_urls.get_secret_value().split() if settings.alert_urls else []
    return AppriseAlerts(urls) if urls else None


def read_settings() -> Settings:
    """The settings from the environment; a wrong one is named with what it should be."""
    try:
        settings = Settings.read()
        use_language(settings.language)
    except ValidationError as error:
        wrong = "; ".join(f"PONTE_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors())
        raise BadConfiguration(_("Settings cannot be read: {wrong}").format(wrong=wrong)) from None
    except ValueError as error:
        raise BadConfiguration(str(error)) from error
    return settings


def open_store(settings: Settings, *, patient: bool = False) -> Store:
    """The store without looking at its version: for `db upgrade` alone. patient: waits for a database that is away."""
    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    cipher = FieldCipher(load_keys(settings.key.get_secret_value() if settings.key else None, settings.key_path))
    store = Store(open_engine(settings.url), cipher)
    waiting = Patience(store, settings.database_patience if patient else 0)
    waiting.through(lambda: reachable(store.engine))
    return store


def open_ponte(settings: Settings | None = None, *, patient: bool = False, under_way: bool = False) -> Ponte:
    """Ponte, ready: refuses a database of another version, a wrong key and unreadable settings before anything is done.

    patient: for what nobody sits before and waits: a database that is away is waited for.
    under_way: opened once more by a program that is running already, which goes on in a database newer than itself.
    """
    settings = settings or read_settings()
    store = open_store(settings, patient=patient)
    migrate.check(store.engine, under_way=under_way)
    keycheck.check(store)
    return Ponte(settings, store, Pathways(settings.pathways))
