"""Where and who: buildings, dwellings, tenancies, households and persons, with contacts and consents."""

from sqlalchemy import Boolean, Column, Date, Integer, String, Table, Text, UniqueConstraint

from ponte_workflow.store.schema.base import Cents, Moment, key, metadata, ref

building = Table(
    "building",
    metadata,
    key(),
    ref("quarter_id", "quarter"),
    Column("name", String(100), nullable=False, unique=True),
)

dwelling = Table(
    "dwelling",
    metadata,
    key(),
    ref("building_id", "building", index=True),
    Column("code", String(40), nullable=False, unique=True),  # COD_UI
    Column("address", String(200), nullable=False),
    Column("stair", String(20), nullable=False, default=""),
    Column("unit", String(20), nullable=False, default=""),
)

household = Table(
    "household",
    metadata,
    key(),
    Column("code", String(40), nullable=False, unique=True),  # the COD_UTENTE under which it was first seen
)

tenancy = Table(
    "tenancy",
    metadata,
    key(),
    Column("code", String(40), nullable=False, unique=True),  # COD_UTENTE
    ref("dwelling_id", "dwelling", index=True),
    ref("household_id", "household", index=True),
    ref("quarter_id", "quarter"),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=True),
    Column("rent_cents", Cents, nullable=False),  # monthly
    Column("service_cents", Cents, nullable=False),  # monthly
)

person = Table(
    "person",
    metadata,
    key(),
    ref("household_id", "household"),
    Column("ordinal", Integer, nullable=False),  # PROGRESSIVO
    Column("surname", String(100), nullable=False),
    Column("given_name", String(100), nullable=False),
    # surname and given name in lower case without accents: names are searched by their beginning, sign by sign, whatever
    # order of letters the server's language has
    Column(
        "search_name",
        String(202).with_variant(String(202, collation="C"), "postgresql"),
        nullable=False,
        server_default="",
        index=True,
    ),
    Column("sex", String(1), nullable=False),
    Column("birth_date", Date, nullable=False),
    Column("tax_code", Text, nullable=True),  # encrypted
    Column("tax_code_index", String(64), nullable=True, index=True),
    Column("relation", String(60), nullable=False),
    Column("language", String(5), nullable=False, default="it"),
    Column("language_set_on", Date, nullable=True),  # the household said so: the landlord's list changes it no more
    Column("deceased_on", Date, nullable=True),
    Column("left_on", Date, nullable=True),
    UniqueConstraint("household_id", "ordinal"),
)

contact = Table(
    "contact",
    metadata,
    key(),
    ref("person_id", "person"),
    Column("channel", String(10), nullable=False),  # phone, email, pec; letter: what is known of letters to the home
    Column("value", Text, nullable=False),  # encrypted; empty for letters: their address is the dwelling's
    Column("value_index", String(64), nullable=False, index=True),
    Column("preferred", Boolean, nullable=False, default=False),  # at most one of a person
    Column("consent_on", Date, nullable=True),  # asked, and wanted; None and not withdrawn: not asked yet
    Column("consent_withdrawn_on", Date, nullable=True),
    Column("wrong_on", Date, nullable=True),  # since when it is known that nothing arrives there
    Column("wrong_why", String(60), nullable=True),  # bounced, refused, returned, told: codes
    Column("changed_at", Moment, nullable=True),  # what was told of the value before it counts no more
    UniqueConstraint("person_id", "channel"),
)

consent = Table(
    "consent",
    metadata,
    key(),
    ref("household_id", "household", index=True),
    ref("person_id", "person", nullable=True),
    Column("kind", String(30), nullable=False),  # privacy, participation
    Column("given_on", Date, nullable=False),
    Column("withdrawn_on", Date, nullable=True),
    ref("recorded_by", "staff", nullable=True),
    ref("history_id", "history", nullable=True, index=True),
)
