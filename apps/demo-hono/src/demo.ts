// npm run demo -- hono            shows what a client sees, and ends
// npm run demo -- hono --serve    goes on, for requests of your own
import { runDemo } from '@halt/demo-kit'

import { start } from './start.ts'

// Redis by the other one of the two client libraries.
await runDemo({ framework: 'Hono', name: 'hono', start, library: 'node-redis' })
