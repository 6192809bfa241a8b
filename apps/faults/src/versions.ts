import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, totalmem, type as system } from 'node:os'
import { join } from 'node:path'

import { findServer, type ServerProgram } from '../../../tools/find-server.mjs'

/** The libraries and servers of a table. */
export interface Parts {
  readonly packages: readonly string[]
  readonly servers: readonly ServerProgram[]
}

export const REDIS_PARTS: Parts = {
  packages: ['@halt/core', 'ioredis', 'redis'],
  servers: ['redis-server', 'valkey-server'],
}
export const POSTGRES_PARTS: Parts = { packages: ['@halt/core', 'pg', 'postgres'], servers: ['postgres'] }

/** The day, the versions and the machine of a run, in one sentence. */
export function describeRun({ packages, servers }: Parts): string {
  const day = new Date().toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric' })
  const clients = packages.map(name => `${name} ${versionOf(name)}`)
  const machine = `${system()}, ${cpus().length} processors, ${Math.round(totalmem() / 2 ** 30)} GB`
  return `${day}; ${[...clients, ...servers.map(serverVersion)].join(', ')}, Node ${process.versions.node}; ${machine}.`
}

function versionOf(name: string): string {
  // Not every package exports its package.json. `paths` are the folders in which Node looks for it.
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? []
  const path = folders.map(folder => join(folder, name, 'package.json')).find(file => existsSync(file))
  return (JSON.parse(readFileSync(path ?? name, 'utf8')) as { version: string }).version
}

function serverVersion(name: ServerProgram): string {
  const text = execFileSync(findServer(name) ?? name, ['--version'], { encoding: 'utf8' })
  return `${name.replace('-server', '')} ${/(?:v=|\) )(\d\S*)/.exec(text)?.[1] ?? 'unknown'}`
}
