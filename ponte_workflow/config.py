"""Settings: everything comes from the environment (`PONTE_...`) and from one folder, PONTE_HOME."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

PREFIX = "PONTE_"


def N_(text: str) -> str:  # noqa: N802  # the name by which translators' tools know it
    """A text that is translated where it is shown: settings are read before anybody has a language."""
    return text


def private_on_the_way(url: str) -> bool:
    """Whether nobody on the way reads what goes there: TLS, or this very machine."""
    place = urlsplit(url)
    near = place.scheme == "http" and place.hostname in ("127.0.0.1", "::1", "localhost")
    return bool(place.hostname) and (near or place.scheme == "https")


class Settings(BaseModel):
    """All settings, with their defaults. Read once, at the edge; never changed afterwards."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path = Field(
        default=Path("~/.ponte"), description=N_("One folder for database, key, Prefect, mails and rejects")
    )
    database_url: str | None = Field(default=None, description=N_("SQLite file in PONTE_HOME, or postgresql://..."))
    pathways: Path | None = Field(default=None, description=N_("A folder of further pathway files"))
    key: SecretStr | None = Field(default=None, description=N_("Field key(s), comma separated, the newest first"))
    key_file: Path | None = Field(default=None, description=N_("File with the field key(s); default PONTE_HOME/key"))
    language: str = Field(default="it", description=N_("Language of the console: it or en"))
    user: str | None = Field(default=None, description=N_("Who acts at the console, a username"))
    office: str = Field(default="Sportello Un ponte sul blu", description=N_("Where households find us, in messages"))
    phone: str = Field(default="030 0000000", description=N_("The office's telephone number, in messages"))
    ledger_max_age_days: int = Field(default=7, ge=1, description=N_("Older ledgers are stale: detection is skipped"))
    smtp_host: str | None = Field(default=None, description=N_("SMTP server; without it mails go to PONTE_HOME/mails"))
    smtp_port: int = Field(default=587, ge=1, le=65535, description=N_("Its port"))
    smtp_user: str | None = Field(default=None, description=N_("Login, if the server wants one"))
    smtp_password: SecretStr | None = Field(default=None, description=N_("Its password"))
    smtp_tls: Literal["starttls", "tls", "none"] = Field(default="starttls", description=N_("starttls, tls or none"))
    smtp_cafile: Path | None = Field(default=None, description=N_("Certificates to trust, for a server of one's own"))
    smtp_timeout: float = Field(default=20.0, gt=0, description=N_("Seconds"))
    mail_from: str = Field(default="ponte@example.org", description=N_("Sender address of every mail"))
    pec_address: str | None = Field(default=None, description=N_("Address of the certified mailbox (PEC)"))
    pec_smtp_host: str | None = Field(
        default=None, description=N_("Its SMTP server; without it no certified mail leaves")
    )
    pec_smtp_port: int = Field(default=465, ge=1, le=65535, description=N_("Its port"))
    pec_imap_host: str | None = Field(default=None, description=N_("Its IMAP server; without it no receipts are read"))
    pec_imap_port: int = Field(default=993, ge=1, le=65535, description=N_("Its port"))
    pec_imap_folder: str = Field(default="INBOX", description=N_("The folder in which receipts arrive"))
    pec_user: str | None = Field(default=None, description=N_("Login of the certified mailbox; default its address"))
    pec_password: SecretStr | None = Field(default=None, description=N_("Its password"))
    pec_cafile: Path | None = Field(default=None, description=N_("Certificates to trust, for a server of one's own"))
    pec_timeout: float = Field(default=20.0, gt=0, description=N_("Seconds"))
    pagopa: str = Field(
        default="",
        description=N_("Creditors that take payments by pagoPA: NAME=tax code/segregation code; NAME=..."),
    )
    ibans: str = Field(
        default="",
        description=N_("Accounts of creditors for bank transfers, shown on the page of a plan: NAME=IBAN; NAME=IBAN"),
    )
    letter_sender: str = Field(
        default="", description=N_("Address of the sender on letters, lines separated by semicolons; the phone follows")
    )
    letter_place: str = Field(default="Brescia", description=N_("The town before the date of a letter"))
    letter_town: str = Field(
        default="25100 Brescia BS",
        description=N_("Postcode and town under addresses that have no postcode of their own"),
    )
    sms_url: str | None = Field(
        default=None,
        description=N_(
            "SMS gateway: https://..., or files for one that writes into PONTE_HOME/sms; without it no SMS leaves"
        ),
    )
    sms_token: SecretStr | None = Field(default=None, description=N_("Its token"))
    sms_from: str = Field(default="Ponte", description=N_("Sender of every SMS, at most eleven letters, or a number"))
    sms_secret: SecretStr | None = Field(
        default=None, min_length=16, description=N_("The secret with which the gateway signs what it tells about SMS")
    )
    sms_timeout: float = Field(default=10.0, gt=0, description=N_("Seconds"))
    sms_cents: int = Field(default=7, ge=0, description=N_("What an SMS of 160 signs costs, in cents"))
    pec_cents: int = Field(default=0, ge=0, description=N_("What a certified mail costs, in cents"))
    letter_cents: int = Field(default=125, ge=0, description=N_("What a letter costs, with its stamp, in cents"))
    legal_channels: str = Field(
        default="pec,email,letter", description=N_("The ways of messages with legal weight, in order, comma separated")
    )
    bounces: str | None = Field(
        default=None, description=N_("Where mails come back: imaps://user@host/INBOX, or a folder of .eml files")
    )
    bounces_password: SecretStr | None = Field(default=None, description=N_("The password of that mailbox"))
    alert_urls: SecretStr | None = Field(
        default=None, description=N_("Where staff alerts go: addresses of Apprise, with blanks between")
    )
    heartbeat_url: SecretStr | None = Field(
        default=None,
        description=N_("What is fetched when a night is done (https): a watcher outside that hears nothing tells you"),
    )
    watch_seconds: int = Field(
        default=300,
        ge=0,
        description=N_("How often the web application looks whether the night was missed; 0: never"),
    )
    batch_size: int = Field(default=1000, ge=1, le=10_000, description=N_("Due clocks in one transaction of the night"))
    database_patience: float = Field(
        default=300.0,
        ge=0,
        description=N_("Seconds that nights and deliveries wait for a database that went away"),
    )
    shards: int = Field(
        default=1, ge=1, le=256, description=N_("Shards of night and deliveries (PostgreSQL only above 1)")
    )
    lease_seconds: float = Field(
        default=60.0, ge=1, le=3600, description=N_("A worker that is silent for so long is presumed dead")
    )
    processes: int = Field(default=1, ge=1, le=64, description=N_("Processes for the shards on one machine"))
    dask_address: str | None = Field(
        default=None, description=N_("A Dask scheduler for the shards, for example tcp://10.0.0.5:8786")
    )
    work_pool: str | None = Field(
        default=None, description=N_("Name of the Prefect work pool that the workers of several machines share")
    )
    worker_name: str | None = Field(default=None, description=N_("This worker's name in the pool; default host name"))
    second_factor_roles: str = Field(
        default="", description=N_("Roles that must have a second factor, comma separated, e.g. lead,supervisor,admin")
    )
    oidc_issuer: str | None = Field(default=None, description=N_("Single sign-on: the OpenID provider's issuer URL"))
    oidc_name: str = Field(default="OpenID Connect", description=N_("Its name on the sign-in page"))
    oidc_client_id: str | None = Field(default=None, description=N_("Ponte's name there"))
    oidc_client_secret: SecretStr | None = Field(default=None, description=N_("Ponte's secret there"))
    oidc_username_claim: str = Field(default="preferred_username", description=N_("The claim that holds the username"))
    public_url: str | None = Field(
        default=None, description=N_("Ponte's address as browsers see it, for the way back from the single sign-on")
    )
    upload_megabytes: int = Field(
        default=200, ge=1, le=4000, description=N_("How much one upload may hold, all its files together")
    )
    web_host: str = Field(default="127.0.0.1", description=N_("Where the web application listens"))
    web_port: int = Field(default=8000, ge=1, le=65535, description=N_("Its port"))
    web_proxies: str = Field(
        default="",
        description=N_("Addresses of TLS proxies whose word on the visitor's address counts, comma separated"),
    )
    backup_secret: SecretStr | None = Field(
        default=None, description=N_("What ponte backup locks its files with; keep it where the backups are not")
    )
    metrics_token: SecretStr | None = Field(
        default=None,
        min_length=16,
        description=N_("What Prometheus shows at /metrics (Bearer); without it only this machine may ask"),
    )
    webhook_private: bool = Field(default=False, description=N_("Webhooks may go to addresses inside the own network"))
    prefect_port: int = Field(default=4200, ge=1, le=65535, description=N_("Port of the Prefect server of ponte up"))
    prefect_api_url: str | None = Field(default=None, description=N_("A running Prefect server; else an ephemeral one"))

    @field_validator("heartbeat_url")
    @classmethod
    def _heartbeat_is_private(cls, value: SecretStr | None) -> SecretStr | None:
        """Refused at every start: at night nobody would see it."""
        if value is not None and not private_on_the_way(value.get_secret_value()):
            raise ValueError("must begin with https://")
        return value

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """From the environment. An empty variable counts as not set; `ValidationError` names one that cannot be.

        Not pydantic-settings: importing it costs 0.2 s of CPU, a third of what a command may take to start.
        """
        given = os.environ if environment is None else environment
        return cls.model_validate(
            {name: given[PREFIX + name.upper()] for name in cls.model_fields if given.get(PREFIX + name.upper())}
        )

    @property
    def folder(self) -> Path:
        """PONTE_HOME, absolute."""
        return self.home.expanduser().resolve()

    @property
    def url(self) -> str:
        """The database URL in SQLAlchemy's form."""
        if not self.database_url:
            return f"sqlite:///{self.folder / 'ponte.sqlite3'}"
        for prefix in ("postgresql://", "postgres://"):
            if self.database_url.startswith(prefix):
                return "postgresql+psycopg://" + self.database_url.removeprefix(prefix)
        return self.database_url

    @property
    def key_path(self) -> Path:
        """Where the field key lies when the environment does not give it."""
        return self.key_file.expanduser() if self.key_file else self.folder / "key"
