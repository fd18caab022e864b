"""The door: who gets in, who is locked out, what a session is worth."""

from ponte_workflow.web.gate import COOKIE
from tests.site import HOST, PASSWORD, Site


def test_the_right_password_opens_a_session_and_signing_out_ends_it(site: Site) -> None:
    browser = site.visitor()
    assert browser.get("/").headers["location"] == "/sign-in"
    answer = browser.post("/sign-in", data={"username": "wanda", "password": PASSWORD, "to": "/cases"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/cases")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=") and all(
        part in cookie for part in ("HttpOnly", "Secure", "Path=/", "SameSite=lax")
    )
    token = browser.cookies[COOKIE]
    assert browser.post("/sign-out").status_code == 303
    again = site.visitor()
    again.cookies.set(COOKIE, token, domain=HOST.removeprefix("https://"), path="/")
    assert again.get("/cases").headers["location"].startswith("/sign-in"), "the token itself is worth nothing any more"


def test_a_wrong_password_and_an_unknown_name_sound_the_same(site: Site) -> None:
    browser = site.visitor()
    wrong = browser.post("/sign-in", data={"username": "wanda", "password": "no"})
    unknown = browser.post("/sign-in", data={"username": "nobody", "password": "no"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.text.replace("wanda", "X") == unknown.text.replace("nobody", "X")
