"""The client of PyPI `mcp`, with a login by the program `$BROWSER`. Usage: mcp_client.py URL"""

import asyncio
import os
import shlex
import subprocess
import sys
from urllib.parse import parse_qs, urlparse

import httpx2
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientMetadata


class Memory:
    """What the client is told, for this one run."""

    client = tokens = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


async def main(url):
    came_back = asyncio.get_running_loop().create_future()

    async def callback(reader, writer):
        target = (await reader.readline()).split()[1].decode()
        while (await reader.readline()).strip():
            pass
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
        came_back.set_result(parse_qs(urlparse(target).query))

    async def redirect(to):
        command = shlex.split(os.environ["BROWSER"].rstrip("& "))
        subprocess.Popen([to if word == "%s" else word for word in command])

    async def result():
        query = await came_back
        return AuthorizationCodeResult(**{name: query[name][0] for name in ("code", "state", "iss") if name in query})

    listener = await asyncio.start_server(callback, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    metadata = OAuthClientMetadata(
        client_name="mcp",
        redirect_uris=[f"http://127.0.0.1:{port}/callback"],
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
        token_endpoint_auth_method="none",
    )
    auth = OAuthClientProvider(url, metadata, Memory(), redirect, result)
    async with httpx2.AsyncClient(auth=auth, timeout=20) as http:
        async with Client(streamable_http_client(url, http_client=http)) as client:
            print((await client.call_tool("whoami")).content[0].text)


asyncio.run(main(sys.argv[1]))
