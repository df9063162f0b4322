"""One window of any of the three engines, for stories that are the same in each."""

from typing import Protocol

from playwright.sync_api import Page
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver import WebKitGTK
from selenium.webdriver.common.by import By


class Window(Protocol):
    def open(self, url: str) -> None: ...

    def fill(self, css: str, text: str) -> None: ...

    def press(self, name: str) -> None:
        """Press the visible button with this text."""

    def text(self, css: str) -> str:
        """Return the words of the first such element that is visible, or "" where there is none."""

    def value(self, css: str) -> str:
        """Return the value of a field, or "" where there is none."""


class PlaywrightWindow:
    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, url: str) -> None:
        self.page.goto(url)

    def fill(self, css: str, text: str) -> None:
        self.page.locator(css).fill(text)

    def press(self, name: str) -> None:
        # A button pressed before the scripts run sends a plain form.
        self.page.wait_for_load_state()
        self.page.get_by_role("button", name=name, exact=True).click()

    def text(self, css: str) -> str:
        return " ".join(" ".join(self.page.locator(css).all_inner_texts()[:1]).split())

    def value(self, css: str) -> str:
        return self.page.locator(css).input_value()


class WebKitWindow:
    def __init__(self, driver: WebKitGTK) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        self.driver.get(url)

    def fill(self, css: str, text: str) -> None:
        self.driver.find_element(By.CSS_SELECTOR, css).send_keys(text)

    def press(self, name: str) -> None:
        self.driver.find_element(By.XPATH, f"//button[normalize-space()='{name}']").click()

    def text(self, css: str) -> str:
        return " ".join(self._read(css, "innerText").split())

    def value(self, css: str) -> str:
        return self._read(css, "value")

    def _read(self, css: str, name: str) -> str:
        """Return a property, or "" while htmx swaps the element."""
        try:
            return str(self.driver.find_element(By.CSS_SELECTOR, css).get_property(name))
        except (NoSuchElementException, StaleElementReferenceException):
            return ""
