// Runs Workers in workerd, the runtime of Cloudflare, which comes with the npm package `miniflare`.
import { Log, LogLevel, Miniflare, type MiniflareOptions } from 'miniflare'

import { bundle } from './bundle.ts'

/** A running Worker. */
export interface Worker {
  /** Sends a request to it. The host of the address does not matter. */
  fetch(path: string, init?: RequestInit): Promise<Response>
  /** What it printed, line by line. */
  readonly printed: readonly string[]
  readonly code: string
  readonly miniflare: Miniflare
  close(): Promise<void>
}

// The last date that the pinned workerd knows.
const COMPATIBILITY_DATE = '2026-04-26'

/** Bundles a Worker as wrangler does, and runs it in workerd on a free port of 127.0.0.1. */
export async function startWorker(entry: URL, options: Partial<MiniflareOptions> = {}): Promise<Worker> {
  const code = await bundle(entry, 'es', [/^node:/, /^cloudflare:/])
  const printed: string[] = []
  const miniflare = new Miniflare({
    modules: true,
    script: code,
    compatibilityDate: COMPATIBILITY_DATE,
    log: new Log(LogLevel.NONE),
    handleRuntimeStdio(stdout, stderr) {
      for (const stream of [stdout, stderr])
        stream.on('data', (chunk: Buffer) =>
          printed.push(...chunk.toString().split('\n').filter(line => line !== '')),
        )
    },
    ...options,
  } as MiniflareOptions)
  const url = await miniflare.ready
  return {
    fetch: (path, init) => fetch(new URL(path, url), init),
    printed,
    code,
    miniflare,
    close: () => miniflare.dispose(),
  }
}
