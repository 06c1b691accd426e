"""The assistant inside other programs: an HTTP API, OpenAI's API, an MCP server. Importing this loads no server."""
