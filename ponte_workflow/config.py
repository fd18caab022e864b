"""Settings: everything comes from the environment (`PONTE_...`) and from one folder, PONTE_HOME."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

PREFIX = "PONTE_"


class Settings(BaseModel):
    """All settings, with their defaults. Read once, at the edge; never changed afterwards."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path = Field(default=Path("~/.ponte"), description="One folder for database, key, Prefect, mails and rejects")
    database_url: str | None = Field(default=None, description="SQLite file in PONTE_HOME, or postgresql://...")
    pathways: Path | None = Field(default=None, description="A folder of further pathway files")
    key: SecretStr | None = Field(default=None, description="Field key(s), comma separated, the newest first")
    key_file: Path | None = Field(default=None, description="File with the field key(s); default PONTE_HOME/key")
    language: str = Field(default="it", description="Language of the console: it or en")
    user: str | None = Field(default=None, description="Who acts at the console, a username")
    office: str = Field(default="Sportello Un ponte sul blu", description="Where households find us, in messages")
    phone: str = Field(default="030 0000000", description="The office's telephone number, in messages")
    ledger_max_age_days: int = Field(default=7, ge=1, description="Older ledgers are stale: detection is skipped")
    smtp_host: str | None = Field(default=None, description="SMTP server; without it mails go to PONTE_HOME/mails")
    smtp_port: int = Field(default=587, ge=1, le=65535, description="Its port")
    smtp_user: str | None = Field(default=None, description="Login, if the server wants one")
    smtp_password: SecretStr | None = Field(default=None, description="Its password")
    smtp_tls: Literal["starttls", "tls", "none"] = Field(default="starttls", description="starttls, tls or none")
    smtp_cafile: Path | None = Field(default=None, description="Certificates to trust, for a server of one's own")
    smtp_timeout: float = Field(default=20.0, gt=0, description="Seconds")
    mail_from: str = Field(default="ponte@example.org", description="Sender address of every mail")
    batch_size: int = Field(default=1000, ge=1, le=10_000, description="Due clocks in one transaction of the night")
    shards: int = Field(default=1, ge=1, le=256, description="Shards of the clock step (PostgreSQL only above 1)")
    second_factor_roles: str = Field(
        default="", description="Roles that must have a second factor, comma separated, e.g. lead,supervisor,admin"
    )
    oidc_issuer: str | None = Field(default=None, description="Single sign-on: the OpenID provider's issuer URL")
    oidc_name: str = Field(default="OpenID Connect", description="Its name on the sign-in page")
    oidc_client_id: str | None = Field(default=None, description="Ponte's name there")
    oidc_client_secret: SecretStr | None = Field(default=None, description="Ponte's secret there")
    oidc_username_claim: str = Field(default="preferred_username", description="The claim that holds the username")
    public_url: str | None = Field(
        default=None, description="Ponte's address as browsers see it, for the way back from the single sign-on"
    )
    upload_megabytes: int = Field(default=200, ge=1, le=4000, description="Largest file that may be uploaded")
    web_host: str = Field(default="127.0.0.1", description="Where the web application listens")
    web_port: int = Field(default=8000, ge=1, le=65535, description="Its port")
    web_proxies: str = Field(
        default="", description="Addresses of TLS proxies whose word on the visitor's address counts, comma separated"
    )
    webhook_private: bool = Field(default=False, description="Webhooks may go to addresses inside the own network")
    prefect_port: int = Field(default=4200, ge=1, le=65535, description="Port of the Prefect server of ponte up")
    prefect_api_url: str | None = Field(default=None, description="A running Prefect server; else an ephemeral one")

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
