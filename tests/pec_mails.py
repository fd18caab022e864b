"""Receipts of certified mail as providers send them, without the signature: for tests."""

from email import message_from_bytes
from email.mime.application import MIMEApplication
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

from notifications.pec_receipts import Kind

TO = "maria.rossi@pec.example.org"
US = "ponte@pec.example.org"


def daticert(
    kind: Kind,
    *,
    about: str,
    errore: str = "nessuno",
    to: str = TO,
    identifier: str = "opec2941.20261124.abc@pec.example.org",
    extra: str = "",
) -> str:
    """A daticert.xml."""
    delivered = f"<ricevuta tipo='completa'/><consegna>{to}</consegna>" if kind is Kind.DELIVERED else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<postacert tipo="{kind}" errore="{errore}">
 <intestazione>
  <mittente>{US}</mittente>
  <destinatari tipo="certificato">{to}</destinatari>
  <risposte>{US}</risposte>
  <oggetto>Il piano che abbiamo firmato</oggetto>
 </intestazione>
 <dati>
  <gestore-emittente>Gestore di prova S.p.A.</gestore-emittente>
  <data zona="+0100"><giorno>24/11/2026</giorno><ora>09:30:05</ora></data>
  <identificativo>{identifier}</identificativo>
  <msgid>&lt;{about}&gt;</msgid>
  {delivered}{extra}
 </dati>
</postacert>
"""


def receipt(
    kind: Kind,
    *,
    about: str,
    errore: str = "nessuno",
    to: str = TO,
    identifier: str = "opec2941.20261124.abc@pec.example.org",
    subject: str = "",
    extra: str = "",
    xml: str | None = None,
    attach_inner: bytes | None = None,
    copies: int = 1,
) -> bytes:
    """The raw mail of a receipt: a signed multipart with a text, daticert.xml and, if given, the message it is about."""
    inner = MIMEMultipart("mixed")
    inner.attach(MIMEText("Ricevuta: testo per le persone.", "plain", "utf-8"))
    content = (
        daticert(kind, about=about, errore=errore, to=to, identifier=identifier, extra=extra) if xml is None else xml
    )
    for _copy in range(copies):
        part = MIMEApplication(content.encode(), "xml", name="daticert.xml")
        part.add_header("Content-Disposition", "inline", filename="daticert.xml")
        inner.attach(part)
    if attach_inner is not None:
        inner.attach(MIMEMessage(message_from_bytes(attach_inner)))
    outer = MIMEMultipart("signed", protocol="application/pkcs7-signature", micalg="sha1")
    outer.attach(inner)
    outer.attach(MIMEApplication(b"signature", "pkcs7-signature", name="smime.p7s"))
    outer["From"] = "posta-certificata@pec.example.org"
    outer["To"] = US
    outer["Subject"] = subject or f"{kind.value.upper()}: Il piano"
    outer["X-Trasporto" if kind is Kind.CERTIFIED_MAIL else "X-Ricevuta"] = kind.value
    outer["X-TipoRicevuta"] = "completa"
    outer["X-Riferimento-Message-ID"] = f"<{about}>"
    return outer.as_bytes()
