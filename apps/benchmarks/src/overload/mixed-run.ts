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

/** A load on one server: `quick` requests, others, and those that come some time after the start. */
export interface MixedRun {
  readonly quick: Tally
  readonly other: Tally
  readonly critical: Tally
  /** Quick ones from ten seconds on, or after a surge. */
  readonly last: Tally
}

const tally = (): Tally => ({ offered: 0, good: 0, refused: 0, late: 0 })

/** Asks at a rate by the clock, whatever the answers. */
async function load(ms: number, perSecond: number, ask: () => void): Promise<void> {
  const start = performance.now()
  let next = start
  await new Promise<void>(resolve => {
    const tick = (): void => {
      const now = performance.now()
      for (; next <= now && next < start + ms; next += (-Math.log(1 - Math.random()) * 1000) / perSecond) ask()
      if (next < start + ms) setTimeout(tick, 1)
      else resolve()
    }
    tick()
  })
}

/** A client that gives up after a time-out, and then needs a new connection. */
function client(port: number, sockets: number, timeoutMs: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: sockets })
  return ({ path, isCritical = false }: Call, ...counted: readonly Tally[]): void => {
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

/** Two hundred requests a second, of which a share goes to another route that takes so long. Undefined: for ever. */
async function mixed(guard: string, share: number, slowMs: number | undefined, ms: number): Promise<MixedRun> {
  const { port, stop } = await start(guard)
  const ask = client(port, 1000, 30_000)
  const [quick, other, critical, last] = [tally(), tally(), tally(), tally()]
  const other_ = slowMs === undefined ? '/other' : `/other?ms=${slowMs}`
  const began = performance.now()
  await load(ms, 200, () => {
    if (Math.random() < share) return ask({ path: other_ }, other)
    ask({ path: '/quick?ms=10' }, quick, ...(performance.now() - began >= 10_000 ? [last] : []))
  })
  await new Promise(resolve => setTimeout(resolve, 200))
  stop()
  return { quick, other, critical, last }
}

/** A surge on new connections: a client opens up to 300 of them, and leaves after a second. */
async function cold(guard: string, times: number): Promise<MixedRun> {
  const { port, stop } = await start(guard)
  const [quick, other, critical, last] = [tally(), tally(), tally(), tally()]
  const calm = client(port, 300, 1000)
  await load(2000, 60, () => calm({ path: '/cpu' }, other))
  const ask = client(port, 300, 1000)
  await load(6000, 185 * times, () => {
    if (Math.random() < 10 / (185 * times)) return ask({ path: '/cpu', isCritical: true }, critical, quick)
    ask({ path: '/cpu' }, quick)
  })
  const after = client(port, 300, 1000)
  await load(3000, 60, () => after({ path: '/cpu' }, last))
  await new Promise(resolve => setTimeout(resolve, 1100))
  stop()
  return { quick, other, critical, last }
}

const [guards, kind, first, second, third] = process.argv.slice(2) as [string, string, string, string, string]
const runs: Record<string, MixedRun> = {}
if (kind === 'mixed')
  await Promise.all(
    guards.split(',').map(async guard => {
      runs[guard] = await mixed(guard, Number(first), second === 'never' ? undefined : Number(second), Number(third))
    }),
  )
else for (const guard of guards.split(',')) runs[guard] = await cold(guard, Number(first))
console.log(JSON.stringify(runs))
process.exit(0)
