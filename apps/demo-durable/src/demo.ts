// npm run demo -- durable    shows a month's quota that lives through a killed process
import { show } from './show.ts'

const ok = await show({ print: line => console.log(line) })
if (!ok) console.log('\nNot all was as it should be: see the lines with ✗ above.')
process.exitCode = ok ? 0 : 1
