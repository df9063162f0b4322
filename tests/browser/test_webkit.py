"""The journey in WebKit: GTK's MiniBrowser on a virtual display, driven by WebDriver.

WebKit lets no page read the clipboard, so the test pastes what Copy has written.
"""

from collections.abc import Callable

import pytest
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver import WebKitGTK
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from accounts.models import User
from tests.browser.conftest import PATIENCE_MS, Site
from tests.browser.people import TOKEN_PAGE, call_api
from tests.cast import PASSWORD

pytestmark = [
    pytest.mark.browser,
    # Selenium's own driver for WebKitGTK makes its connection the old way.
    pytest.mark.filterwarnings("ignore:setting remote_server_addr:DeprecationWarning"),
]


def test_the_journey_in_webkit(driver: WebKitGTK, site: Site, alice: User) -> None:
    driver.get(site.url(TOKEN_PAGE))
    driver.find_element(By.ID, "id_login").send_keys("alice@example.com")
    driver.find_element(By.ID, "id_password").send_keys(PASSWORD, Keys.ENTER)
    wait_for(driver, lambda: driver.find_element(By.TAG_NAME, "h1").text == "Developers")
    wait_for(driver, lambda: "•" * 42 in token_in_box(driver))

    old = copy_token(driver)
    assert call_api(site, old).status_code == 200
    press(driver, "Revoke API Token")
    wait_for(driver, lambda: driver.switch_to.active_element.text == "Keep this token")
    press(driver, "Revoke and replace")
    wait_for(driver, lambda: "A new token is in place" in driver.switch_to.active_element.text)
    new = copy_token(driver)

    assert [call_api(site, token).status_code for token in (old, new)] == [401, 200]


@pytest.mark.release
def test_a_shown_token_hides_in_webkit(driver: WebKitGTK, site: Site, alice: User) -> None:
    driver.get(site.url(TOKEN_PAGE))
    driver.find_element(By.ID, "id_login").send_keys("alice@example.com")
    driver.find_element(By.ID, "id_password").send_keys(PASSWORD, Keys.ENTER)
    wait_for(driver, lambda: driver.find_element(By.TAG_NAME, "h1").text == "Developers")

    press(driver, "Show")
    wait_for(driver, lambda: "•" not in token_in_box(driver))
    press(driver, "Hide")

    wait_for(driver, lambda: "•" * 42 in token_in_box(driver))


@pytest.mark.release
def test_no_way_back_to_the_page_shows_the_token_again_in_webkit(driver: WebKitGTK, site: Site, alice: User) -> None:
    driver.get(site.url(TOKEN_PAGE))
    driver.find_element(By.ID, "id_login").send_keys("alice@example.com")
    driver.find_element(By.ID, "id_password").send_keys(PASSWORD, Keys.ENTER)
    wait_for(driver, lambda: driver.find_element(By.TAG_NAME, "h1").text == "Developers")
    press(driver, "Show")
    wait_for(driver, lambda: "•" not in token_in_box(driver))

    driver.get(site.url("/account/"))
    driver.back()

    wait_for(driver, lambda: "•" * 42 in token_in_box(driver))


def press(driver: WebKitGTK, name: str) -> None:
    driver.find_element(By.XPATH, f"//button[normalize-space()='{name}']").click()


def token_in_box(driver: WebKitGTK) -> str:
    return str(driver.find_element(By.ID, "token").get_property("value"))


def copy_token(driver: WebKitGTK) -> str:
    """Press Copy, and return what Ctrl+V then pastes into a field of a blank part of the page."""
    driver.find_element(By.ID, "token-copy").click()
    wait_for(driver, lambda: driver.find_element(By.ID, "token-status").text == "Copied to the clipboard.")
    driver.execute_script("document.querySelector('main').append(document.createElement('input'))")
    field = driver.find_element(By.CSS_SELECTOR, "main > input")
    field.click()
    field.send_keys(Keys.CONTROL, "v")
    wait_for(driver, lambda: field.get_property("value") != "")
    pasted = str(field.get_property("value"))
    driver.execute_script("document.querySelector('main > input').remove()")
    return pasted


def wait_for(driver: WebKitGTK, condition: Callable[[], bool]) -> None:
    """Wait until a condition holds; elements may come and go while htmx swaps them."""
    ignored = [StaleElementReferenceException, NoSuchElementException]
    WebDriverWait(driver, 2 * PATIENCE_MS / 1000, ignored_exceptions=ignored).until(lambda _: condition())
