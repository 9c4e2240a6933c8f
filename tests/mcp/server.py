"""An MCP server by FastMCP, which leaves authentication to the gate before it. Usage: server.py PORT"""

import sys

from fastmcp import FastMCP
from fastmcp.server.dependencies import get_http_headers

mcp = FastMCP("Tools of the shop")


@mcp.tool
def whoami() -> str:
    """The user, as the gate tells it."""
    headers = get_http_headers()
    return f"{headers.get('x-auth-subject')} with {headers.get('x-auth-scopes')}"


mcp.run(transport="http", host="127.0.0.1", port=int(sys.argv[1]), show_banner=False)
