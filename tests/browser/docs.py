"""Swagger UI as a person uses it: log in, try an operation, log out.

Usage: docs.py BASE_URL CHROMIUM SCREENSHOT. Prints one line for each step; the exit status tells.
"""

import sys

from playwright.sync_api import expect, sync_playwright

base, chromium, screenshot = sys.argv[1:]
USERNAME, PASSWORD = "johndoe", "secret"


def execute(operation):
    """Sends the request of an open operation and gives back the status that is shown."""
    with operation.page.expect_response(lambda response: response.url == f"{base}/items/"):
        operation.locator("button.execute").click()
    status = operation.locator(".live-responses-table .response .response-col_status").first
    expect(status).to_be_visible()
    return status.inner_text().split()[0]


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
    page = browser.new_page(viewport={"width": 1200, "height": 1500})
    elsewhere, faults = [], []
    # Offline: nothing but the gate is there to be asked.
    page.route(
        "**/*",
        lambda route: route.continue_()
        if route.request.url.startswith((f"{base}/", "data:"))
        else (elsewhere.append(route.request.url), route.abort()),
    )
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))

    page.goto(f"{base}/docs")
    expect(page.locator(".info .title")).to_contain_text("Demonstration")
    operation = page.locator("#operations-default-items_get")
    operation.locator(".opblock-summary").click()
    operation.locator("button.try-out__btn").click()

    status = execute(operation)
    print("before logging in:", status)
    assert status == "401", status

    page.locator(".auth-wrapper .authorize").first.click()
    dialog = page.locator(".auth-container", has=page.locator("h4", has_text="oauth2"))
    dialog.locator("#oauth_username").fill(USERNAME)
    dialog.locator("#oauth_password").fill(PASSWORD)
    dialog.locator("a", has_text="select all").first.click()
    dialog.locator("button.authorize").click()
    expect(dialog.locator("button", has_text="Logout")).to_be_visible()
    page.locator("button.btn-done").first.click()

    status = execute(operation)
    print("logged in:", status)
    assert status == "200", status
    page.screenshot(path=screenshot)

    page.locator(".auth-wrapper .authorize").first.click()
    dialog.locator("button", has_text="Logout").click()
    page.locator("button.btn-done").first.click()
    status = execute(operation)
    print("logged out:", status)
    assert status == "401", status

    assert not elsewhere, elsewhere
    # The browser reports each 401 on its console; anything else is a fault of the page.
    other = [fault for fault in faults if "401" not in fault]
    assert not other, other
    browser.close()
print("done")
