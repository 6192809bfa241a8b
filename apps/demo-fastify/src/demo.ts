// npm run demo -- fastify            shows what a client sees, and ends
// npm run demo -- fastify --serve    goes on, for requests of your own
import { runDemo } from '@halt/demo-kit'

import { start } from './start.ts'

await runDemo({ framework: 'Fastify', name: 'fastify', start })
