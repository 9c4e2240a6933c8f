"""A page opens a WebSocket with a token among its subprotocols, as a browser has no other place for one.

Usage: web_socket.py BASE_URL CHROMIUM UPSTREAM_PORT TOKEN. Prints what the upstream got; the exit status tells.
"""

import base64
import hashlib
import socket
import sys
import threading

from playwright.sync_api import sync_playwright

base, chromium, port, token = sys.argv[1:]
seen = []


def serve(listener):
    """Accepts handshakes, and takes the first subprotocol that is offered."""
    while True:
        connection, _ = listener.accept()
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(4096)
        headers = {}
        for line in head.decode().split("\r\n")[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        seen.append(headers)
        key = headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        answer = f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n"
        if "sec-websocket-protocol" in headers:
            answer += f"Sec-WebSocket-Protocol: {headers['sec-websocket-protocol'].split(',')[0].strip()}\r\n"
        connection.sendall((answer + "\r\n").encode())


listener = socket.create_server(("127.0.0.1", int(port)))
threading.Thread(target=serve, args=(listener,), daemon=True).start()

OPEN = """([url, protocols]) => new Promise(done => {
    const socket = new WebSocket(url, protocols);
    socket.onopen = () => done("open " + socket.protocol);
    socket.onerror = () => done("refused");
})"""
kubernetes = "base64url.bearer.authorization.k8s.io." + base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")

with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
    page = browser.new_page()
    page.goto(f"{base}/health")
    url = base.replace("http://", "ws://") + "/socket"
    for protocols, expected, left in [
        (["bearer", token, "graphql-ws"], "open graphql-ws", "graphql-ws"),
        ([kubernetes, "v4.channel.k8s.io"], "open v4.channel.k8s.io", "v4.channel.k8s.io"),
        (["bearer", token[:-4], "graphql-ws"], "refused", None),
        (["graphql-ws"], "refused", None),
        # With nothing else in the list the service is asked for no subprotocol and names none, and the browser, which
        # offered some, closes the connection.
        (["bearer", token], "refused", ""),
    ]:
        before = len(seen)
        outcome = page.evaluate(OPEN, [url, protocols])
        print(len(protocols), "subprotocols:", outcome)
        assert outcome == expected, outcome
        assert len(seen) - before == (0 if left is None else 1), seen
        if left is not None:
            assert seen[-1].get("sec-websocket-protocol", "") == left, seen[-1]
            assert seen[-1]["x-auth-subject"] == "johndoe", seen[-1]
            assert token not in str(seen[-1]), seen[-1]
    browser.close()
