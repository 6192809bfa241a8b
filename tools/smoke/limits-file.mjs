// Gives limits in TypeScript to the installed command. Node 20 needs a loader for them; later versions run these themselves.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { run } from './run.mjs'

const limits = `import { presets, type Policy } from '@halt/core'
export const plans: Record<string, Policy[]> = { free: [{ ...presets.PUBLIC_API, limit: 2, burst: 2 }, presets.QUOTA_FREE_DAILY] }
`
const line = '203.0.113.1 - - [24/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 12 "-" "curl/8"\n'

/** Replays three requests against a limit of two. @param {string} node @param {string} dir */
export async function checkLimitsFile(node, dir) {
  writeFileSync(join(dir, 'limits.mts'), limits)
  writeFileSync(join(dir, 'access.log'), line.repeat(3))
  const program = join(dir, 'node_modules/@halt/cli/bin/halt.mjs')
  const args = [program, 'replay', 'access.log', '--policy', 'limits.mts', '--json']
  const { plans } = JSON.parse(await run(node, args, dir))
  if (plans?.[0]?.refused !== 1) throw new Error(`It refused ${plans?.[0]?.refused} requests, not 1.`)
}
