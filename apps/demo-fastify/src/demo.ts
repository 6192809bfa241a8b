// npm run demo -- fastify            shows what a client sees, and ends
// npm run demo -- fastify --serve    serves the app for your own requests
import { runDemo } from '@halt/demo-kit'

import { start } from './start.ts'

await runDemo({ framework: 'Fastify', name: 'fastify', start })
