// Runs Workers in workerd, the runtime of Cloudflare, which comes with the npm package `miniflare`.
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { Log, LogLevel, Miniflare, type MiniflareOptions } from 'miniflare'

import { bundle } from './bundle.ts'
import type { Report } from './other-runtimes.ts'

/** A running Worker. */
export interface Worker {
  /** Its addresses, `http://127.0.0.1:…`: that of its default export, then those of its other entrypoints. */
  readonly urls: readonly string[]
  /** Sends a request to the default export. workerd adds no header to it. */
  fetch(path: string, init?: RequestInit): Promise<Response>
  /** The text that it printed. */
  readonly printed: string
  readonly code: string
  readonly miniflare: Miniflare
  close(): Promise<void>
}

// The last date that the pinned workerd knows.
const COMPATIBILITY_DATE = '2026-04-26'

/**
 * Bundles a Worker as wrangler does, and runs it in workerd on free ports of 127.0.0.1.
 *
 * @param entrypoints the names of its other entrypoints that get an address
 */
export async function startWorker(
  entry: URL,
  options: Partial<MiniflareOptions> = {},
  entrypoints: readonly string[] = [],
): Promise<Worker> {
  const code = await bundle(entry, 'es', [/^node:/, /^cloudflare:/])
  let printed = ''
  // In memory where that is possible, because an object waits for the disk at each write.
  const storage = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'halt-worker-'))
  const miniflare = new Miniflare({
    modules: true,
    script: code,
    compatibilityDate: COMPATIBILITY_DATE,
    log: new Log(LogLevel.NONE),
    handleRuntimeStdio(stdout: Readable, stderr: Readable) {
      for (const stream of [stdout, stderr])
        stream.on('data', (chunk: Buffer) => void (printed += chunk.toString()))
    },
    // Past the proxy of Miniflare, which adds the headers of Cloudflare.
    unsafeDirectSockets: ['default', ...entrypoints].map(entrypoint => ({
      host: '127.0.0.1',
      port: 0,
      entrypoint,
    })),
    durableObjectsPersist: storage,
    ...options,
  } as MiniflareOptions)
  await miniflare.ready
  const [url, ...others] = await Promise.all(
    [undefined, ...entrypoints].map(entrypoint => miniflare.unsafeGetDirectURL(undefined, entrypoint)),
  )
  return {
    urls: [url, ...others].map(address => (address as URL).origin),
    fetch(path, init) {
      // On a busy machine, a connection that is kept may end while the next request is sent on it.
      const headers = new Headers(init?.headers)
      headers.set('Connection', 'close')
      return fetch(new URL(path, url), { ...init, headers })
    },
    get printed() {
      return printed
    },
    code,
    miniflare,
    async close() {
      await miniflare.dispose()
      await rm(storage, { recursive: true, force: true })
    },
  }
}

/** Runs the suite of a Worker that was made with `packages/conformance/test/suite-worker.ts`, each test in a request of its own. */
export async function runInWorkerd(script: URL): Promise<Report> {
  const ports = Array.from({ length: 10 }, (_, port) => `port${port}`)
  // Without the second flag, workerd does not tell a Worker that its client has left.
  const compatibilityFlags = ['nodejs_compat', 'enable_request_signal']
  // The variables of `process.env`.
  const bindings = { HALT_FULL: process.env['HALT_FULL'] ?? '' }
  const worker = await startWorker(script, { compatibilityFlags, bindings }, ports)
  try {
    const [, ...urls] = worker.urls
    const names = (await (await worker.fetch('/')).json()) as string[]
    const failed: string[] = []
    for (const name of names) {
      const response = await worker.fetch('/', { method: 'POST', body: JSON.stringify({ name, urls }) })
      const failure = await response.text()
      if (failure !== '') failed.push(`${name}: ${failure}`)
    }
    return { passed: names.length - failed.length, failed }
  } finally {
    await worker.close()
  }
}
