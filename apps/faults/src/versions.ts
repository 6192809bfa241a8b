import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, totalmem, type as system } from 'node:os'

import { findServer, type ServerProgram } from '../../../tools/find-server.mjs'

/** The day, the versions and the machine of a run, in one sentence. */
export function describeRun(): string {
  const day = new Date().toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric' })
  const packages = ['@halt/core', 'ioredis', 'redis'].map(name => `${name} ${versionOf(name)}`)
  const servers = (['redis-server', 'valkey-server'] as const).map(serverVersion)
  const machine = `${system()}, ${cpus().length} processors, ${Math.round(totalmem() / 2 ** 30)} GB`
  return `${day}; ${[...packages, ...servers].join(', ')}, Node ${process.versions.node}; ${machine}.`
}

function versionOf(name: string): string {
  const path = createRequire(import.meta.url).resolve(`${name}/package.json`)
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
}

function serverVersion(name: ServerProgram): string {
  const text = execFileSync(findServer(name) ?? name, ['--version'], { encoding: 'utf8' })
  return `${name.replace('-server', '')} ${/v=(\S+)/.exec(text)?.[1] ?? 'unknown'}`
}
