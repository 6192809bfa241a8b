// npm run demo -- nest            shows what a client sees, and ends
// npm run demo -- nest --serve    goes on, for requests of your own
import { runDemo } from '@halt/demo-kit'

import { scenes } from './show.ts'
import { start } from './start.ts'

await runDemo({ framework: 'Nest', name: 'nest', start, more: scenes })
