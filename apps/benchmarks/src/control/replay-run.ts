// Replays a log of many lines, and prints the seconds of CPU and of wall time, and the most memory in MB.
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const lines = Number(process.argv[2])
const CLIENTS = 100_000
const folder = await mkdtemp(join(tmpdir(), 'halt-replay-'))
try {
  const log = join(folder, 'access.log')
  const file = createWriteStream(log)
  for (let from = 0; from < lines; from += 10_000) {
    const part = Array.from({ length: Math.min(10_000, lines - from) }, (_, i) => line(from + i)).join('')
    if (!file.write(part)) await once(file, 'drain')
  }
  file.end()
  await once(file, 'close')
  await writeFile(join(folder, 'limits.mjs'), `export default { name: 'api', limit: 100, window: 60 }`)
  const bin = join(dirname(createRequire(import.meta.url).resolve('@halt/cli/package.json')), 'bin/halt.mjs')
  const report = `process.on('exit', () => { const u = process.resourceUsage(); console.error('USAGE' + JSON.stringify({ cpu: (u.userCPUTime + u.systemCPUTime) / 1e6, mb: u.maxRSS / 1024 })) })`
  const start = performance.now()
  const hook = `data:text/javascript,${encodeURIComponent(report)}`
  const child = spawn(
    process.execPath,
    ['--import', hook, bin, 'replay', log, '--policy', 'limits.mjs', '--json'],
    {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  let [output, errors] = ['', '']
  child.stdout.on('data', part => (output += String(part)))
  child.stderr.on('data', part => (errors += String(part)))
  const [code] = (await once(child, 'close')) as [number]
  const [, usage] = /USAGE(.*)/.exec(errors) ?? []
  if (code !== 0 || usage === undefined) throw new Error(`halt replay ended with ${code}: ${errors}`)
  // A line that is skipped or exempt would cost less than one that counts.
  const { policies } = JSON.parse(output) as { policies: readonly { requests: number }[] }
  if (policies[0]?.requests !== lines) throw new Error(`${policies[0]?.requests} of ${lines} lines counted.`)
  console.log(
    JSON.stringify({ ...(JSON.parse(usage) as object), seconds: (performance.now() - start) / 1000 }),
  )
} finally {
  await rm(folder, { recursive: true })
}

function line(i: number): string {
  const client = Math.imul(i, 2_654_435_761) >>> 0
  const n = client % CLIENTS
  const time = new Date(Date.UTC(2026, 10, 24) + Math.floor(i / 200) * 1000).toISOString()
  // Public addresses, because private ones are exempt by default.
  return `50.${n >> 16}.${(n >> 8) & 255}.${n & 255} - - [${time.slice(8, 10)}/Nov/2026:${time.slice(11, 19)} +0000] "GET /a HTTP/1.1" 200 12 "-" "curl/8"\n`
}
