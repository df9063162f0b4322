"""Steps of people who change their email."""

from typing import Any

from django.test import Client as Browser

from tests.cast import PASSWORD

PAGE, RESET = "/account/email/", "/account/password/reset/"
NEW = "alice@wonderland.example"


def ask_for(browser: Browser, email: str = NEW) -> Any:
    return browser.post(PAGE, {"email": email, "action_add": ""}, follow=True)


def can_log_in(email: str) -> bool:
    response = Browser().post("/account/login/", {"login": email, "password": PASSWORD})
    return response.get("Location") == "/"


def messages_on(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())
