// Runs a Worker for the edge as the platforms do: one bundle, and the globals of the web only.
import { createContext, Script } from 'node:vm'

import { bundle } from './bundle.ts'

/** A running Worker. */
export interface Worker {
  fetch(request: Request): Promise<Response>
  /** The calls of the script at load that only a request may make. */
  readonly early: readonly string[]
  /** What it printed. */
  readonly printed: readonly string[]
  readonly code: string
  /** Advances the clock, which otherwise stands still. */
  advance(ms: number): void
}

/** Bundles a Worker for the edge, and loads it with the globals of the web only. */
export async function startWorker(entry: URL): Promise<Worker> {
  const code = await bundle(entry, 'iife')
  const early: string[] = []
  const printed: string[] = []
  let loading = true
  let now = 1_795_500_000_000
  /** Wraps a function that Workers allow only during a request, and notes a call at load: timers, randomness, I/O. */
  const duringRequest = <T extends (...given: never[]) => unknown>(name: string, call: T): T =>
    ((...given: never[]) => {
      if (loading) early.push(name)
      return call(...given)
    }) as T
  const webCrypto = {
    subtle: crypto.subtle,
    getRandomValues: duringRequest('getRandomValues', () => {}),
    randomUUID: duringRequest('randomUUID', () => ''),
  }
  const globals = {
    Request,
    Response,
    Headers,
    URL,
    URLSearchParams,
    ReadableStream,
    TransformStream,
    TextEncoder,
    TextDecoder,
    AbortController,
    AbortSignal,
    console: { warn: (text: string) => printed.push(text) },
    queueMicrotask,
    structuredClone,
    crypto: webCrypto,
    performance: { timeOrigin: 0, now: () => (loading ? 0 : now) },
    setTimeout: duringRequest('setTimeout', (call: () => void, ms: number) => Number(setTimeout(call, ms))),
    clearTimeout: (timer: number) => clearTimeout(timer),
    setInterval: duringRequest('setInterval', setInterval),
    fetch: duringRequest('fetch', fetch),
  }
  const context = createContext({ ...globals, self: undefined })
  new Script(code).runInContext(context)
  loading = false
  const worker = new Script('worker').runInContext(context) as Pick<Worker, 'fetch'>
  return {
    fetch: async request => worker.fetch(request),
    early,
    printed,
    code,
    advance: ms => void (now += ms),
  }
}
