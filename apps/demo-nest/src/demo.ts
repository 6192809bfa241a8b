// npm run demo -- nest            shows what a client sees, and ends
// npm run demo -- nest --serve    serves the app for your own requests
import { runDemo } from '@halt/demo-kit'

import { scenes } from './show.ts'
import { start } from './start.ts'

await runDemo({ framework: 'Nest', name: 'nest', start, more: scenes })
