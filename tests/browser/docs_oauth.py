"""Swagger UI before an authorization code flow: locks at the secured operations, and what `openapi.docs_oauth` fills in.

Usage: docs_oauth.py BASE_URL CHROMIUM. Prints one line for each step; the exit status tells.
"""

import sys
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect, sync_playwright

base, chromium = sys.argv[1:]
asked = []


def ask(route):
    """The page of the issuer where a user logs in."""
    asked.append(route.request.url)
    route.fulfill(status=200, content_type="text/html", body="<title>Login</title>")


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
    context = browser.new_context(viewport={"width": 1200, "height": 1500})
    context.route("https://idp.example/**", ask)
    page = context.new_page()
    page.goto(f"{base}/docs")
    expect(page.locator(".info .title")).to_contain_text("Locks")

    locked = {}
    for operation in page.locator(".opblock").all():
        locked[operation.locator(".opblock-summary-path").inner_text().replace("\u200b", "")] = operation.locator(
            ".authorization__btn"
        ).count()
    print("locks:", locked)
    assert locked == {"/health": 0, "/items": 1}, locked

    page.locator(".auth-wrapper .authorize").first.click()
    dialog = page.locator(".auth-container", has=page.locator("h4", has_text="oauth2"))
    expect(dialog.locator("h4")).to_contain_text("authorizationCode with PKCE")
    expect(dialog.locator("input[data-name=clientId]")).to_have_value("page")
    # Those that `openapi.docs_oauth` names.
    scopes = {box.get_attribute("data-value"): box.is_checked() for box in dialog.locator("input[type=checkbox]").all()}
    print("scopes:", scopes)
    assert scopes == {"items:read": True, "items:write": False}, scopes

    with context.expect_page() as opened:
        dialog.locator("button.authorize").click()
    opened.value.wait_for_load_state()
    query = {name: values[0] for name, values in parse_qs(urlsplit(asked[0]).query).items()}
    print("asked:", sorted(query))
    wanted = {
        "response_type": "code",
        "client_id": "page",
        "scope": "items:read",
        "code_challenge_method": "S256",
        "redirect_uri": f"{base}/docs/oauth2-redirect.html",
    }
    assert {name: query.get(name) for name in wanted} == wanted, query
    assert len(query["code_challenge"]) == 43 and query["state"], query
    browser.close()
print("done")
