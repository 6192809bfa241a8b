import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { fileURLToPath } from 'node:url'

/** What a request asks for. */
interface Call {
  readonly path: string
  readonly isCritical?: boolean
}

/** What became of the requests of some kind. */
export interface Tally {
  offered: number
  good: number
  refused: number
  /** Without an answer after a second. */
  late: number
}

/** A load on one server. */
export interface MixedRun {
  /** All but those of the odd route. */
  readonly others: Tally
  readonly critical: Tally
  /** Those of {@link others} from ten seconds on, or those after a surge. */
  readonly last: Tally
  readonly seconds: number
}

const tally = (): Tally => ({ offered: 0, good: 0, refused: 0, late: 0 })

/** Asks at a rate by the clock, whatever the answers. */
async function load(ms: number, perSecond: number, ask: () => void): Promise<void> {
  const start = performance.now()
  let next = start
  await new Promise<void>(resolve => {
    const tick = (): void => {
      const now = performance.now()
      for (; next <= now && next < start + ms; next += (-Math.log(1 - Math.random()) * 1000) / perSecond)
        ask()
      if (next < start + ms) setTimeout(tick, 1)
      else resolve()
    }
    tick()
  })
}

/** Sends a request, and counts what becomes of it. */
type Ask = (call: Call, ...counted: readonly Tally[]) => void

/** A client that gives up after a time-out, and then needs a new connection. */
function client(port: number, sockets: number, timeoutMs: number): Ask {
  const agent = new Agent({ keepAlive: true, maxSockets: sockets })
  return ({ path, isCritical = false }, ...counted) => {
    for (const each of counted) each.offered++
    let isOver = false
    const end = (what: 'good' | 'refused' | 'late'): void => {
      if (isOver) return
      isOver = true
      clearTimeout(timer)
      for (const each of counted) each[what]++
    }
    const request = get({ port, path, agent, headers: isCritical ? { 'x-critical': '1' } : {} }, response => {
      response.resume()
      response.once('end', () => end(response.statusCode === 200 ? 'good' : 'refused'))
    })
    const timer = setTimeout(() => {
      end('late')
      request.destroy()
    }, timeoutMs)
    request.on('error', () => end('late'))
  }
}

async function start(guard: string): Promise<{ readonly port: number; stop(): void }> {
  const child = fork(fileURLToPath(new URL('mixed-server-run.js', import.meta.url)), [guard])
  const [port] = (await once(child, 'message')) as [number]
  return { port, stop: () => child.disconnect() }
}

/** Requests of which a share goes to another route that takes so long. Undefined: for ever. Where all do, these are the others. */
async function mixed(guard: string, [share, slow, ms, perSecond]: readonly string[]): Promise<MixedRun> {
  const { port, stop } = await start(guard)
  const ask = client(port, 2000, 30_000)
  const [others, odd, critical, last] = [tally(), tally(), tally(), tally()]
  const path = slow === 'never' ? '/other' : `/other?ms=${slow}`
  const began = performance.now()
  await load(Number(ms), Number(perSecond), () => {
    const isOdd = Math.random() < Number(share)
    if (isOdd && share !== '1') return ask({ path }, odd)
    const isLate = performance.now() - began >= 10_000
    ask({ path: isOdd ? path : '/quick?ms=10' }, others, ...(isLate ? [last] : []))
  })
  await new Promise(resolve => setTimeout(resolve, 200))
  stop()
  return { others, critical, last, seconds: Number(ms) / 1000 }
}

/** A surge on new connections: a client opens up to 300 of them, and leaves after a second. */
async function cold(guard: string, [times, ms]: readonly string[]): Promise<MixedRun> {
  const { port, stop } = await start(guard)
  const [others, critical, last] = [tally(), tally(), tally()]
  const path = '/cpu'
  const [before, surging, after] = [1, 2, 3].map(() => client(port, 300, 1000)) as [Ask, Ask, Ask]
  await load(2000, 60, () => before({ path }))
  const perSecond = 185 * Number(times)
  await load(Number(ms), perSecond, () => {
    if (Math.random() < 10 / perSecond) surging({ path, isCritical: true }, critical, others)
    else surging({ path }, others)
  })
  await load(3000, 60, () => after({ path }, last))
  await new Promise(resolve => setTimeout(resolve, 1100))
  stop()
  return { others, critical, last, seconds: Number(ms) / 1000 }
}

const [guards, kind, ...rest] = process.argv.slice(2) as [string, string, ...string[]]
const runs: Record<string, MixedRun> = {}
if (kind === 'mixed')
  await Promise.all(guards.split(',').map(async guard => void (runs[guard] = await mixed(guard, rest))))
else for (const guard of guards.split(',')) runs[guard] = await cold(guard, rest)
console.log(JSON.stringify(runs))
// Requests that hang are under way.
process.exit(0)
