import { describe } from '../base/errors.ts'
import { type Duration, parseDuration } from '../base/duration.ts'
import { checkNames, fail, namesOf } from '../base/options-check.ts'
import { restUsers } from '../limiter/store-users.ts'
import { type DrainableServer, endServer } from './server-end.ts'

/** Something that a process closes when it ends: a limiter, a store. */
export interface Closable {
  close(): unknown
}

/** Options of {@link drain}. */
export interface DrainOptions {
  /** The limiter that is closed when the server has ended, or several. If an adapter made your limiters, give their store. */
  readonly limiter?: Closable | readonly Closable[] | undefined
  /** The longest wait for running requests. Then their connections are destroyed. Default 10 seconds. */
  readonly deadline?: Duration | undefined
}

/** The course of a {@link drain}. */
export interface DrainReport {
  /** How many connections were left at the deadline. Those of HTTP/1 were destroyed. */
  readonly forced: number
  /** The errors of what could not be closed. */
  readonly errors: readonly unknown[]
}

const OPTIONS: readonly string[] = namesOf<DrainOptions>({ limiter: true, deadline: true })

const draining = new WeakMap<object, Promise<DrainReport>>()

/**
 * Ends a server and its limiters in good order: answers close their connections, idle connections are closed, running requests
 * are awaited until the deadline, all their charges, refunds and releases are recorded, and the limiters are closed.
 *
 * A second call for the same server returns the promise of the first, so a second `SIGTERM` does no harm.
 *
 * @param server the server: of `node:http`, `node:https` or `node:http2`
 * @returns what was not in order. It rejects only for wrong arguments: `HALT_E_OPTION`, `HALT_E_UNKNOWN_FIELD`,
 * `HALT_E_DURATION`
 * @example
 * process.on('SIGTERM', () => void drain(server, { limiter, deadline: '10s' }))
 */
export function drain(server: DrainableServer, options: DrainOptions = {}): Promise<DrainReport> {
  return drainApp(server, server, options)
}

/**
 * As {@link drain}, for an adapter whose framework ends more than the server.
 *
 * @param app the object of the user: a second call for it returns the promise of the first
 * @param closeApp closes the framework's application, after the server has ended and before the limiters are closed
 * @param own the limiters that the adapter made itself
 */
export function drainApp(
  app: object,
  server: DrainableServer,
  options: DrainOptions,
  closeApp?: () => unknown,
  own: readonly Closable[] = [],
): Promise<DrainReport> {
  const known = draining.get(app)
  if (known !== undefined) return known
  try {
    const { closables, deadlineMs } = read(server, options)
    const drained = run(server, deadlineMs, [...closables, ...own], closeApp)
    draining.set(app, drained)
    return drained
  } catch (error) {
    return Promise.reject(error)
  }
}

async function run(
  server: DrainableServer,
  deadlineMs: number,
  closables: readonly Closable[],
  closeApp: (() => unknown) | undefined,
): Promise<DrainReport> {
  const errors: unknown[] = []
  const attempt = async <T>(step: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await step()
    } catch (error) {
      errors.push(error)
      return undefined
    }
  }
  const forced = (await attempt(() => endServer(server, deadlineMs))) ?? 0
  // The application may close the client of the store, so what the requests have left must be recorded before.
  await Promise.all(closables.map(one => attempt(() => restUsers(storeOf(one)))))
  if (closeApp !== undefined) await attempt(closeApp)
  await Promise.all([...new Set(closables)].map(one => attempt(() => one.close())))
  return { forced, errors }
}

function storeOf(closable: Closable): object {
  return (closable as { readonly store?: object }).store ?? closable
}

function read(
  server: unknown,
  options: DrainOptions,
): { closables: readonly Closable[]; deadlineMs: number } {
  if (!isServer(server))
    fail(
      'HALT_E_OPTION',
      `drain() got ${describe(server)} for the server.`,
      'Give the server: what app.listen() or serve() returned.',
    )
  checkNames(options as Record<string, unknown>, OPTIONS, 'drain()')
  const { limiter = [], deadline = '10s' } = options
  const closables = Array.isArray(limiter) ? (limiter as readonly Closable[]) : [limiter as Closable]
  const wrong = closables.find(one => typeof (one as Partial<Closable> | null)?.close !== 'function')
  if (wrong !== undefined)
    fail('HALT_E_OPTION', `drain() got ${describe(wrong)} for a limiter.`, 'Give new RateLimiter({ … }).')
  return { closables, deadlineMs: parseDuration(deadline, 'deadline') / 1000 }
}

function isServer(server: unknown): server is DrainableServer {
  const { close, prependListener } = (server ?? {}) as Partial<DrainableServer>
  return typeof close === 'function' && typeof prependListener === 'function'
}
