import { Agent, request } from 'node:http'

/** Customers leave after this time, in milliseconds. */
const PATIENCE_MS = 1000

/** What became of a visit. */
export type Fate = 'answered' | 'refused' | 'left'

/** A visit that is over. */
export interface Visit {
  readonly path: string
  /** When it began, in milliseconds since the first customer. */
  readonly at: number
  readonly fate: Fate
}

/** Customers of one kind: how many come in a second, and when. */
export interface Crowd {
  readonly path: string
  readonly perSecond: number
  readonly from: number
  readonly to: number
}

/** Sends crowds to a shop. They come by the clock, whether the shop answers or not. Resolves when the last one has gone. */
export async function visit(
  port: number,
  crowds: readonly Crowd[],
  tell: (visit: Visit) => void,
): Promise<void> {
  const agent = new Agent({ keepAlive: true })
  const start = performance.now()
  const visits: Promise<void>[] = []
  const next = crowds.map(({ from }) => from)
  const end = Math.max(...crowds.map(({ to }) => to))
  await new Promise<void>(resolve => {
    const ticking = setInterval(() => {
      const now = performance.now() - start
      crowds.forEach(({ path, perSecond, to }, i) => {
        for (; next[i]! <= now && next[i]! < to; next[i]! += 1000 / perSecond) {
          const at = next[i]!
          visits.push(ask(agent, port, path).then(fate => tell({ path, at, fate })))
        }
      })
      if (now < end) return
      clearInterval(ticking)
      resolve()
    }, 5)
  })
  await Promise.all(visits)
  agent.destroy()
}

function ask(agent: Agent, port: number, path: string): Promise<Fate> {
  return new Promise(resolve => {
    const asking = request({ agent, port, path, host: '127.0.0.1' }, response => {
      response.resume()
      response.once('end', () => end(response.statusCode === 200 ? 'answered' : 'refused'))
    })
    const leaving = setTimeout(() => end('left'), PATIENCE_MS)
    const end = (fate: Fate): void => {
      clearTimeout(leaving)
      resolve(fate)
      if (fate === 'left') asking.destroy()
    }
    asking.once('error', () => end('left'))
    asking.end()
  })
}
