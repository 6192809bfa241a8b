// npm run demo -- express            shows what a client sees, and ends
// npm run demo -- express --serve    goes on, for requests of your own
import { runDemo } from '@halt/demo-kit'

import { start } from './start.ts'

await runDemo({ framework: 'Express', name: 'express', start })
