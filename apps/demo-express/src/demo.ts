// npm run demo -- express            shows what a client sees, and ends
// npm run demo -- express --serve    serves the app for your own requests
import { runDemo } from '@halt/demo-kit'

import { start } from './start.ts'

await runDemo({ framework: 'Express', name: 'express', start })
