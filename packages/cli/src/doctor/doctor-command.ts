import { resolve } from 'node:path'
import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'

import { type Call, type Command, ExitCode, valueOf } from '../command/command.ts'
import { commandError } from '../command/parse.ts'
import { type CliIo, coloursOf, jsonLine, print, printable } from '../io.ts'
import { redisFlags, withRedis } from '../operate/redis.ts'
import { loadPolicyModule } from '../policy-module.ts'
import { readLogs } from '../replay/read-log.ts'
import { appFindings } from './app-findings.ts'
import type { Finding } from './finding.ts'
import { ProxySurvey } from './log-findings.ts'
import { redisFindings } from './redis-findings.ts'

/** `halt doctor`: checks the set-up. */
export const doctorCommand: Command = {
  name: 'doctor',
  summary:
    'Checks Redis, the limits, the routes of an application, and the proxies in a log. Changes nothing but a key for the test, which expires.',
  usage: '[--redis <url>] [--policy <limits.mjs>] [--app <app.mjs>] [--log <access.log>]',
  takes: [0, 0],
  flags: {
    ...redisFlags,
    policy: { value: 'module', help: 'Limits to check, a module as for halt replay.' },
    app: {
      value: 'module',
      help: 'An application of Express, Fastify or Hono, whose routes without a limit are listed. It is loaded, so it must not listen.',
    },
    log: { value: 'file', help: 'An access log, in which proxies are searched for.' },
    json: { help: 'Prints JSON.' },
  },
  more: ['Exit code 1 says that there is a problem.'],
  async run(call, io) {
    const findings = [
      ...(await ofRedis(call, io)),
      ...(await ofPolicies(call, io)),
      ...(await ofApp(call, io)),
      ...(await ofLog(call, io)),
    ]
    if (findings.length === 0)
      throw commandError('halt doctor has nothing to check.', 'Give --redis, --policy, --app or --log.')
    await print(
      io,
      call.flags['json'] === true ? [jsonLine(findings)] : findings.flatMap(each => lines(each, io)),
    )
    return findings.some(({ level }) => level === 'problem') ? ExitCode.FOUND : ExitCode.DONE
  },
}

async function ofRedis(call: Call, io: CliIo): Promise<Finding[]> {
  const isGiven = valueOf(call, 'redis') !== undefined || Boolean(io.env['HALT_REDIS_URL'])
  if (!isGiven) return []
  try {
    return await withRedis(call, io, redisFindings)
  } catch (error) {
    const { code, summary, fix } = error as { code?: string; summary?: string; fix?: string }
    if (code !== 'HALT_E_STORE_UNAVAILABLE' || summary === undefined) throw error
    return [{ level: 'problem', code, message: summary, fix }]
  }
}

/** Builds a limiter of the policies, and reports what it warns of. A wrong policy is an error of the command. */
async function ofPolicies(call: Call, io: CliIo): Promise<Finding[]> {
  const module = valueOf(call, 'policy')
  if (module === undefined) return []
  const settings = await loadPolicyModule(module, io.cwd)
  const found: Finding[] = []
  const limiter = new RateLimiter({
    ...settings,
    store: new InMemoryStore(),
    instances: 1,
    warn: ({ code, message, fix }) => void found.push({ level: 'problem', code, message, fix }),
  })
  const names = limiter.policies.map(({ name }) => name).join(', ') || 'chosen by a function'
  return [{ level: 'ok', message: `The limits of ${module} can be used: ${names}.` }, ...found]
}

async function ofApp(call: Call, io: CliIo): Promise<readonly Finding[]> {
  const module = valueOf(call, 'app')
  return module === undefined ? [] : appFindings(module, io.cwd)
}

async function ofLog(call: Call, io: CliIo): Promise<Finding[]> {
  const log = valueOf(call, 'log')
  if (log === undefined) return []
  const survey = new ProxySurvey()
  await readLogs([{ name: log, from: log === '-' ? io.stdin : resolve(io.cwd, log) }], {}, each =>
    survey.add(each),
  )
  return survey.findings()
}

function lines({ level, code, message, fix }: Finding, io: CliIo): string[] {
  const { green, red, dim } = coloursOf(io, io.stdout)
  const mark = { ok: green('ok      '), problem: red('problem '), info: dim('info    ') }[level]
  const text = code === undefined ? message : `${code}: ${message}`
  return [mark + printable(text), ...(fix === undefined ? [] : [`        ${printable(fix)}`])]
}
