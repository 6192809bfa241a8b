import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, loadavg, platform, release } from 'node:os'
import { dirname, join } from 'node:path'

const PACKAGES = [
  'express-rate-limit',
  'rate-limit-redis',
  'rate-limiter-flexible',
  '@fastify/rate-limit',
  'hono-rate-limiter',
  '@nestjs/throttler',
  '@nest-lab/throttler-storage-redis',
  'bottleneck',
  'p-throttle',
  'p-queue',
  'ioredis',
  'redis',
  'pg',
  'express',
  'fastify',
  'hono',
  '@nestjs/core',
  'p-retry',
  '@fastify/under-pressure',
  'toobusy-js',
  'overload-protection',
  'undici',
]

/** One line with the machine, the versions and the load. */
export function machine(): string {
  const [first] = cpus()
  const load = loadavg()
    .map(n => n.toFixed(1))
    .join(', ')
  const server = serverVersion()
  const parts = [
    `${cpus().length} × ${first?.model ?? 'unknown'}`,
    `${platform()} ${release()}`,
    `Node ${process.versions.node}`,
    ...(server === undefined ? [] : [`Redis ${server}`]),
  ]
  return `${parts.join(', ')}; load ${load} when it ended, ${new Date().toISOString().slice(0, 10)}`
}

/** The versions of all contestants. */
export function versions(): string {
  return PACKAGES.map(name => `${name} ${versionOf(name)}`).join(', ')
}

const here = createRequire(import.meta.url)

// Not every package exports its package.json, so this looks for it above the main file.
function versionOf(name: string): string {
  let folder = dirname(here.resolve(name))
  while (folder !== dirname(folder)) {
    try {
      const found = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
        name?: string
        version?: string
      }
      if (found.name === name) return found.version ?? '?'
    } catch {
      // Not in this folder: look one folder up.
    }
    folder = dirname(folder)
  }
  return '?'
}

function serverVersion(): string | undefined {
  try {
    return /v=([\d.]+)/.exec(execFileSync('redis-server', ['--version'], { encoding: 'utf8' }))?.[1]
  } catch {
    return undefined
  }
}
