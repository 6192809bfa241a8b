// An MCP server over stdio, as a desktop app starts it: its one user is the one of the process.
import { ManualClock } from '@halt/core/testing'
import { InMemoryStore } from '@halt/store-memory'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'

import { guardOf, serverOf } from './mcp-server.ts'

const guard = guardOf(new InMemoryStore({ clock: new ManualClock().now }), {
  user: process.env['TOOLS_USER'] ?? 'nobody',
})
await serverOf(guard).connect(new StdioServerTransport())
