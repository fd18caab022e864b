"""Mails that came back, in the shapes in which servers write them, broken ones among them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.bounces import MalformedBounce, read, says_wrong_address

OURS = "ponte.000000041.0123456789ab@example.org"


def dsn(
    *,
    action: str = "failed",
    status: str = "5.1.1",
    diagnostic: str = "smtp; 550 5.1.1 <maria.rossi@example.org>: user unknown",
    third: str = "message/rfc822",
    original: str = f"Message-ID: <{OURS}>\nSubject: Un appuntamento\nFrom: ponte@example.org\n\ntesto",
    kind: str = "multipart/report; report-type=delivery-status",
    status_part: str | None = None,
) -> bytes:
    """A report as RFC 3464 wants it."""
    told = status_part
    if told is None:
        told = (
            "Reporting-MTA: dns; mail.example.org\nArrival-Date: Mon, 23 Nov 2026 10:00:00 +0100\n\n"
            f"Final-Recipient: rfc822; maria.rossi@example.org\nAction: {action}\n"
            f"Status: {status}\nDiagnostic-Code: {diagnostic}"
        )
    return (
        "Return-Path: <>\nFrom: MAILER-DAEMON@mail.example.org\nTo: ponte@example.org\nSubject: Undelivered Mail\n"
        f'MIME-Version: 1.0\nContent-Type: {kind}; boundary="B"\n\n'
        "--B\nContent-Type: text/plain\n\nYour mail did not arrive.\n\n"
        f"--B\nContent-Type: message/delivery-status\n\n{told}\n\n"
        f"--B\nContent-Type: {third}\n\n{original}\n\n--B--\n"
    ).encode()


@pytest.mark.parametrize(
    ("raw", "verdict", "status", "wrong"),
    [
        pytest.param(dsn(), "failed", "5.1.1", True, id="as the standard has it"),
        pytest.param(dsn().replace(b"\n", b"\r\n"), "failed", "5.1.1", True, id="with CRLF"),
        pytest.param(dsn(third="text/rfc822-headers"), "failed", "5.1.1", True, id="headers alone"),
        pytest.param(dsn(action="Failed (to deliver)"), "failed", "5.1.1", True, id="a comment in the action"),
        pytest.param(dsn(action="delayed", status="4.4.1"), "delayed", "4.4.1", False, id="tried again"),
        pytest.param(dsn(status="4.2.2"), "delayed", "4.2.2", False, id="says failed and means later"),
        pytest.param(dsn(action="delivered", status="2.0.0"), "delivered", "2.0.0", False, id="arrived"),
        pytest.param(dsn(action="relayed", status="2.0.0"), "other", "2.0.0", False, id="handed on"),
        pytest.param(dsn(status="5.2.2"), "failed", "5.2.2", False, id="mailbox full"),
        pytest.param(dsn(status="5.7.1"), "failed", "5.7.1", False, id="a filter took offence"),
        pytest.param(
            dsn(status="", diagnostic="smtp; 550-5.1.10 no such user"),
            "failed",
            "5.1.10",
            True,
            id="the code in the diagnostic",
        ),
        pytest.param(dsn(status="", diagnostic="x"), "failed", "", True, id="no code at all"),
        pytest.param(dsn(kind="multipart/mixed"), "failed", "5.1.1", True, id="not called a report"),
        pytest.param(dsn(action="", status="5.4.4"), "failed", "5.4.4", True, id="no action"),
    ],
)
def test_reports_in_many_shapes(raw: bytes, verdict: str, status: str, wrong: bool) -> None:
    found = read(raw)
    assert (found.verdict, found.status, found.wrong_address) == (verdict, status, wrong)
    assert (found.message_id, found.outbox_id) == (OURS, 41)
    assert "maria.rossi" not in found.said, "what the server said is kept without addresses"


def test_several_recipients_are_as_bad_as_the_worst() -> None:
    told = (
        "Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@example.org\nAction: delivered\nStatus: 2.0.0\n\n"
        "Final-Recipient: rfc822; b@example.org\nAction: failed\nStatus: 5.1.1"
    )
    assert read(dsn(status_part=told)).verdict == "failed"


def test_a_status_part_in_base64_is_read() -> None:
    import base64

    told = base64.b64encode(b"Reporting-MTA: dns; x\n\nAction: failed\nStatus: 5.1.1\n").decode()
    raw = dsn(status_part="@@").replace(
        b"Content-Type: message/delivery-status\n\n@@",
        f"Content-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\n{told}".encode(),
    )
    try:
        assert read(raw).verdict == "failed"
    except MalformedBounce as error:
        assert "no line on any recipient" in str(error) or "without a line" in str(error)


def plain(text: str, *, sender: str = "MAILER-DAEMON@mail.example.org", more: str = "") -> bytes:
    return f"From: {sender}\nTo: ponte@example.org\nSubject: x\n{more}Content-Type: text/plain\n\n{text}\n".encode()


@pytest.mark.parametrize(
    ("raw", "verdict"),
    [
        pytest.param(
            plain(f"Sorry, <a@example.org>: 550 5.1.1 unknown\n\nMessage-ID: <{OURS}>"), "failed", id="in its own words"
        ),
        pytest.param(plain(f"said: 550 no such user\nMessage-ID: <{OURS}>"), "failed", id="an old code"),
        pytest.param(plain(f"still trying: 451 4.4.1\nMessage-ID: <{OURS}>"), "delayed", id="still trying"),
        pytest.param(plain("nothing of use"), "other", id="a machine that says nothing"),
        pytest.param(plain("Sono in ferie. 550 5.1.1", sender="a@example.org"), "other", id="a person on holiday"),
        pytest.param(
            plain("Back on Monday", more=f"Auto-Submitted: auto-replied\nIn-Reply-To: <{OURS}>\n"),
            "other",
            id="an automatic answer",
        ),
        pytest.param(
            dsn(kind="multipart/report; report-type=disposition-notification", status_part="Disposition: x"),
            "other",
            id="read by somebody",
        ),
    ],
)
def test_mails_that_are_no_reports(raw: bytes, verdict: str) -> None:
    assert read(raw).verdict == verdict


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        pytest.param(b"", "empty", id="nothing"),
        pytest.param(b"  \r\n ", "empty", id="blanks"),
        pytest.param(dsn(status_part=""), "recipient", id="an empty status part"),
        pytest.param(dsn(status_part="complete nonsense"), "recipient", id="nonsense in the status part"),
        pytest.param(
            b'Content-Type: multipart/report; boundary="B"\n\n--B\nContent-Type: text/plain\n\nx\n--B--',
            "delivery-status",
            id="no status part",
        ),
        pytest.param(dsn()[:330], "recipient", id="cut off"),
        pytest.param(b"x" * 2_000_001, "larger", id="too large"),
    ],
)
def test_broken_ones_are_told_and_crash_nothing(raw: bytes, why: str) -> None:
    with pytest.raises(MalformedBounce, match=why):
        read(raw)


@given(
    st.binary(max_size=400)
    | st.builds(lambda at, noise: dsn()[:at] + noise + dsn()[at:], st.integers(0, 900), st.binary(max_size=20))
)
def test_no_mail_makes_it_stumble(raw: bytes) -> None:
    try:
        found = read(raw)
    except MalformedBounce as error:
        assert str(error)
        return
    assert found.verdict in ("failed", "delayed", "delivered", "other")


def test_a_report_on_somebody_elses_mail_names_none_of_ours() -> None:
    found = read(dsn(original="Message-ID: <abc@other.example>\n\nx"))
    assert found.verdict == "failed" and found.message_id is None and found.outbox_id is None


@pytest.mark.parametrize(
    ("status", "wrong"),
    [("5.1.1", True), ("5.1.10", True), ("5.2.1", True), ("5.4.4", True), ("5.2.2", False), ("5.2.3", False), ("5.3.4", False),
     ("5.6.1", False), ("5.7.26", False), ("4.1.1", False), ("550 no such user", True), ("", True), (None, True)],
)  # fmt: skip
def test_what_a_code_says_of_the_address(status: str | None, wrong: bool) -> None:
    assert says_wrong_address(status) is wrong
