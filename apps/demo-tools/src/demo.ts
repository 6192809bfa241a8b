// npm run demo -- tools    shows an agent that loops, without and with limits inside its tool calls
import { Screen } from '@halt/demo-kit/screen'

import { show } from './show.ts'

const screen = new Screen(process.stdout)
const ok = await show(screen)
if (!ok) screen.print('\nNot all was as it should be: see the lines with ✗ above.')
process.exitCode = ok ? 0 : 1
