/** The parts of the event loop that the turn clock reads. Tests pass a loop whose time they move by hand. */
export interface Loop {
  /** A clock that never goes back, in milliseconds, fractions included. */
  now(): number
  /** How long the loop has waited idle since the process started, in milliseconds. Undefined where the runtime does not tell. */
  idle(): number | undefined
  /** Calls back once the loop has handled all that was readable when its present turn began. */
  afterTurn(callback: () => void): void
}

interface Host {
  readonly performance: {
    now(): number
    readonly nodeTiming?: { readonly idleTime?: number }
  }
  readonly setImmediate?: (callback: () => void) => unknown
  readonly navigator?: { readonly userAgent?: unknown }
}

/**
 * The event loop of this process. Undefined where it cannot be seen: on Cloudflare Workers, whose clock stands still while code
 * runs, and in runtimes without `setImmediate`.
 */
export function loopOf(host: unknown = globalThis): Loop | undefined {
  const { performance, setImmediate, navigator } = host as Host
  if (setImmediate === undefined || navigator?.userAgent === 'Cloudflare-Workers') return undefined
  const { nodeTiming } = performance
  return {
    now: performance.now.bind(performance),
    // perf: bench "overload": `idleTime` takes 50 ns. Bun and Deno have none, or always 0.
    idle: () => nodeTiming?.idleTime || undefined,
    afterTurn: callback => void setImmediate(callback),
  }
}

/** The event loop of this process, read at import, because a test that fakes the timers does not fake the sockets. */
export const presentLoop: Loop | undefined = loopOf()
