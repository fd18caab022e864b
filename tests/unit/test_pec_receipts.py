"""Receipts of certified mail: eight kinds that are understood, and broken ones that are named and never crash."""

from datetime import datetime, timedelta, timezone
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.pec_receipts import Fault, Kind, Malformed, Notice, Trouble, header_kind, read
from tests.pec_mails import daticert, receipt

OURS = "ponte.000000012.abcdef123456@example.org"


@pytest.mark.parametrize("kind", list(Kind))
def test_each_of_the_eight_kinds_is_read_from_daticert(kind: Kind) -> None:
    error = {Kind.NOT_DELIVERED: "no-dest", Kind.NOT_ACCEPTED: "altro", Kind.VIRUS: "virus"}.get(kind, "nessuno")
    notice = read(receipt(kind, about=OURS, errore=error, subject="CONSEGNA: tutto bene"))
    assert isinstance(notice, Notice)
    assert (notice.kind, notice.error, notice.about) == (kind, Trouble(error), OURS)
    assert notice.at == datetime(2026, 11, 24, 9, 30, 5, tzinfo=timezone(timedelta(hours=1)))
    assert notice.identifier == "opec2941.20261124.abc@pec.example.org"
    assert notice.recipients == ("maria.rossi@pec.example.org",)
    assert notice.delivered_to == ("maria.rossi@pec.example.org" if kind is Kind.DELIVERED else None)


def test_the_state_comes_from_daticert_not_from_the_subject_nor_from_the_headers() -> None:
    raw = receipt(Kind.NOT_DELIVERED, about=OURS, errore="no-dest", subject="AVVENUTA CONSEGNA: Il piano")
    raw = raw.replace(b"X-Ricevuta: errore-consegna", b"X-Ricevuta: avvenuta-consegna")
    notice = read(raw)
    assert isinstance(notice, Notice) and notice.kind is Kind.NOT_DELIVERED


def test_of_a_long_explanation_only_the_code_is_kept() -> None:
    long = "<errore-esteso>5.1.1 - no such user maria@x</errore-esteso>"
    notice = read(receipt(Kind.NOT_DELIVERED, about=OURS, errore="no-dest", extra=long))
    assert isinstance(notice, Notice) and notice.status == "5.1.1"


def test_a_daticert_inside_an_attached_message_is_not_ours_to_believe() -> None:
    raw = receipt(Kind.NOT_DELIVERED, about=OURS, errore="no-dest", attach_inner=receipt(Kind.DELIVERED, about=OURS))
    notice = read(raw)
    assert isinstance(notice, Notice) and notice.kind is Kind.NOT_DELIVERED
    outer = EmailMessage()
    outer["Subject"] = "busta"
    outer.set_content("see attached")
    outer.add_attachment(read_message(receipt(Kind.DELIVERED, about=OURS)))
    assert read(outer.as_bytes()) == Malformed(Fault.NO_DATICERT)


def read_message(raw: bytes) -> EmailMessage:
    from email import message_from_bytes, policy

    found = message_from_bytes(raw, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


BOMB = """<?xml version="1.0"?><!DOCTYPE p [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<postacert tipo="accettazione" errore="nessuno"><intestazione><mittente>&b;</mittente></intestazione></postacert>"""
OUTSIDE = """<?xml version="1.0"?><!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<postacert tipo="accettazione"><intestazione><mittente>&x;</mittente></intestazione></postacert>"""
GOOD = daticert(Kind.ACCEPTED, about=OURS)


@pytest.mark.parametrize(
    ("xml", "fault", "place"),
    [
        pytest.param(BOMB, Fault.FORBIDDEN_XML, "", id="entities that grow"),
        pytest.param(OUTSIDE, Fault.FORBIDDEN_XML, "", id="an entity from a file"),
        pytest.param(GOOD[: len(GOOD) // 2], Fault.UNREADABLE_XML, "", id="cut off in the middle"),
        pytest.param("", Fault.NO_DATICERT, "", id="empty"),
        pytest.param("<html><body>busy</body></html>", Fault.MISSING, "postacert", id="another document"),
        pytest.param(
            GOOD.replace("accettazione", "ricevuta-di-ritorno"), Fault.UNKNOWN_KIND, "postacert/@tipo", id="unknown kind"
        ),
        pytest.param(GOOD.replace('tipo="accettazione" ', ""), Fault.UNKNOWN_KIND, "postacert/@tipo", id="no kind"),
        pytest.param(GOOD.replace("nessuno", "boh"), Fault.UNKNOWN_ERROR, "postacert/@errore", id="unknown error"),
        pytest.param(GOOD.replace("24/11/2026", "31/02/2026"), Fault.BAD_DATE, "dati/data", id="a day that is none"),
        pytest.param(GOOD.replace("+0100", "Roma"), Fault.BAD_DATE, "dati/data", id="a zone that is none"),
        pytest.param(GOOD.replace("<giorno>24/11/2026</giorno>", ""), Fault.MISSING, "dati/data/giorno", id="no day"),
        pytest.param(GOOD.replace("identificativo>", "id>"), Fault.MISSING, "dati/identificativo", id="no identifier"),
        pytest.param(GOOD.replace("msgid>", "mid>"), Fault.MISSING, "dati/msgid", id="no message id"),
        pytest.param(GOOD.replace("opec2941", "o" * 300), Fault.TOO_LONG, "dati/identificativo", id="a long identifier"),
        pytest.param(GOOD + " " * 1_000_001, Fault.TOO_LARGE, "", id="too large"),
        pytest.param(
            daticert(Kind.DELIVERED, about=OURS).replace("consegna>", "c>"), Fault.MISSING, "dati/consegna", id="to whom?"
        ),
    ],
)  # fmt: skip
def test_a_broken_daticert_is_named(xml: str, fault: Fault, place: str) -> None:
    assert read(receipt(Kind.ACCEPTED, about=OURS, xml=xml)) == Malformed(fault, place)


def test_other_mails_are_named_too() -> None:
    assert read(b"") == Malformed(Fault.NOT_A_MAIL)
    assert read(b"From: a@example.org\r\nSubject: hello\r\n\r\nhello") == Malformed(Fault.NO_DATICERT)
    assert read(receipt(Kind.ACCEPTED, about=OURS, copies=2)) == Malformed(Fault.TWO_DATICERTS)
    wrong = receipt(Kind.ACCEPTED, about=OURS).replace(f"<{OURS}>\n".encode(), b"<another@example.org>\n", 1)
    assert read(wrong) == Malformed(Fault.DISAGREES, "X-Riferimento-Message-ID")
    assert header_kind(wrong) == "accettazione"


@given(st.data())
def test_nothing_that_anybody_sends_makes_it_fall_over(data: st.DataObject) -> None:
    raw = bytearray(receipt(data.draw(st.sampled_from(Kind)), about=OURS))
    for _time in range(data.draw(st.integers(1, 20))):
        place = data.draw(st.integers(0, len(raw) - 1))
        match data.draw(st.sampled_from(("change", "cut", "double"))):
            case "change":
                raw[place] = data.draw(st.integers(0, 255))
            case "cut":
                del raw[place : place + data.draw(st.integers(1, 60))]
            case "double":
                raw[place:place] = raw[place : place + 40]
        if not raw:
            break
    assert isinstance(read(bytes(raw)), Notice | Malformed)
    header_kind(bytes(raw))


@given(st.binary(max_size=2000))
def test_nor_do_plain_bytes(raw: bytes) -> None:
    assert isinstance(read(raw), Malformed)
