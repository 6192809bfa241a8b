// npm run demo -- hono            shows what a client sees, and ends
// npm run demo -- hono --serve    serves the app for your own requests
import { runDemo } from '@halt/demo-kit'

import { start } from './start.ts'

// This demo reaches Redis through node-redis.
await runDemo({ framework: 'Hono', name: 'hono', start, library: 'node-redis' })
