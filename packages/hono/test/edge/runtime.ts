import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { createContext, Script } from 'node:vm'

/** A Worker that runs. */
export interface Worker {
  fetch(request: Request): Promise<Response>
  /** What its script called while it was loaded that only a request may. */
  readonly early: readonly string[]
  /** What it printed. */
  readonly printed: readonly string[]
  readonly code: string
  /** Lets time go on; else it stands still. */
  advance(ms: number): void
}

/** Bundles a Worker for the edge, and loads it where there is nothing but the web's own globals. */
export async function startWorker(): Promise<Worker> {
  const code = await bundle(fileURLToPath(new URL('worker.ts', import.meta.url)))
  const early: string[] = []
  const printed: string[] = []
  let loading = true
  let now = 1_795_500_000_000
  /** As Workers have it: timers, randomness and I/O belong to a request. */
  const late = <T extends (...given: never[]) => unknown>(name: string, call: T): T =>
    ((...given: never[]) => {
      if (loading) early.push(name)
      return call(...given)
    }) as T
  const webCrypto = {
    subtle: crypto.subtle,
    getRandomValues: late('getRandomValues', () => {}),
    randomUUID: late('randomUUID', () => ''),
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
    setTimeout: late('setTimeout', (call: () => void, ms: number) => Number(setTimeout(call, ms))),
    clearTimeout: (timer: number) => clearTimeout(timer),
    setInterval: late('setInterval', setInterval),
    fetch: late('fetch', fetch),
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

// The bundler that vitest brings, told what wrangler tells its own.
async function bundle(entry: string): Promise<string> {
  const require = createRequire(import.meta.url)
  const vite = createRequire(require.resolve('vitest/package.json')).resolve('vite')
  const { build } = (await import(vite)) as {
    build(config: object): Promise<{ output: { code: string }[] }[]>
  }
  const lib = { entry, name: 'worker', formats: ['iife'] }
  const built = await build({
    configFile: false,
    logLevel: 'error',
    resolve: { conditions: ['halt-source', 'workerd', 'worker', 'browser'] },
    build: { lib, write: false, minify: false, target: 'es2022' },
  })
  return built[0]?.output[0]?.code ?? ''
}
