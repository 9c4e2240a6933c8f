"""FastMCP's client, which logs in by the browser: it is told the URL of the server and nothing else. Usage:
fastmcp_client.py URL"""

import asyncio
import sys
import warnings

from fastmcp import Client

# Its tokens are for this one run.
warnings.filterwarnings("ignore", message="Using in-memory token storage")


async def main(url):
    async with Client(url, auth="oauth") as client:
        print((await client.call_tool("whoami")).data)


asyncio.run(main(sys.argv[1]))
