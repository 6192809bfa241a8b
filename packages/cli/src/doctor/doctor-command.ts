import { resolve } from 'node:path'
import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'

import { type Call, type Command, ExitCode, valueOf } from '../command/command.ts'
import { commandError } from '../command/parse.ts'
import { type CliIo, coloursOf, jsonLine, print, printable } from '../io.ts'
import { loadLimits } from '../limits/limits-file.ts'
import { withPlansHint } from '../operate/client.ts'
import { deafInWords, lineOfAddress, type StoreAddress } from '../operate/store-address.ts'
import { type OpenMysql, withMysql } from '../operate/mysql.ts'
import { type OpenPostgres, withPostgres } from '../operate/postgres.ts'
import { type OpenSqlite, withSqlite } from '../operate/sqlite.ts'
import { withRedis } from '../operate/redis.ts'
import { addressOf, storeFlags } from '../operate/store.ts'
import { readLogs } from '../replay/read-log.ts'
import { appFindings } from './app-findings.ts'
import { controlFindings } from './control-findings.ts'
import type { Finding } from './finding.ts'
import { ProxySurvey } from './log-findings.ts'
import { redisFindings, storeFindings } from './redis-findings.ts'

/** `halt doctor`: checks the set-up. */
export const doctorCommand: Command = {
  name: 'doctor',
  summary:
    'Checks the store, the limits, the routes of an application, and the proxies in a log. Changes nothing but a key for the test, which expires.',
  usage:
    '[--redis <url>] [--postgres <url>] [--sqlite <file>] [--policy <limits.ts>] [--app <app.mjs>] [--log <access.log>]',
  example: 'doctor --redis redis://localhost:6379 --policy limits.ts --log access.log',
  takes: [0, 0],
  flags: {
    ...storeFlags,
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
      ...(await ofStore(call, io)),
      ...(await ofPolicies(call, io)),
      ...(await ofApp(call, io)),
      ...(await ofLog(call, io)),
    ]
    if (findings.length === 0)
      throw commandError(
        'halt doctor has nothing to check.',
        'Give --redis, --postgres, --sqlite, --policy, --app or --log.',
      )
    await print(
      io,
      call.flags['json'] === true ? [jsonLine(findings)] : findings.flatMap(each => lines(each, io)),
    )
    return findings.some(({ level }) => level === 'problem') ? ExitCode.FOUND : ExitCode.DONE
  },
}

async function ofStore(call: Call, io: CliIo): Promise<Finding[]> {
  const asked = addressOf(call, io)
  if (asked === undefined) return []
  const module = valueOf(call, 'policy')
  const prefix =
    valueOf(call, 'prefix') ??
    (module === undefined ? undefined : (await loadLimits(module, io.cwd)).settings.prefix)
  try {
    if (asked.kind === 'postgres')
      return await withPostgres(asked.address, { prefix, schema: valueOf(call, 'schema') }, io, opened =>
        databaseFindings(opened, 'The schema, its functions and the permissions are as Halt needs them.'),
      )
    if (asked.kind === 'mysql')
      return await withMysql(asked.address, valueOf(call, 'table'), io, opened =>
        databaseFindings(opened, 'The table, the settings and the permissions are as Halt needs them.'),
      )
    if (asked.kind === 'sqlite')
      return await withSqlite(asked.address, prefix, io, opened =>
        databaseFindings(opened, 'The file, its log and its tables are as Halt needs them.'),
      )
    return await withRedis(asked.address, prefix, io, async opened => {
      const found = await opened.address()
      return [
        ...addressFindings(found),
        ...(await redisFindings(opened)),
        ...(await controlFindings(opened.store, found)),
      ]
    })
  } catch (error) {
    const { code, summary, fix } = error as { code?: string; summary?: string; fix?: string }
    if (code?.startsWith('HALT_E_STORE') !== true || summary === undefined) throw error
    return [{ level: 'problem', code, message: summary, fix }]
  }
}

/** Inspects a database, and counts its processes. @param fine the sentence if the store warns of nothing */
async function databaseFindings(
  { store, address }: OpenPostgres | OpenMysql | OpenSqlite,
  fine: string,
): Promise<Finding[]> {
  const warnings = await store.inspect()
  // A user of the database that lacks a right may be unable to read the rest.
  const lacks = warnings.some(({ code }) => code === 'HALT_W_PERMISSION')
  const found = await address().catch((error: unknown) => {
    if (lacks) return undefined
    throw error
  })
  return [
    ...(found === undefined ? [] : addressFindings(found)),
    ...storeFindings(warnings, fine),
    ...(found === undefined || lacks ? [] : await controlFindings(store, found)),
  ]
}

/** Not a problem without processes, because a set-up is often checked before the first one runs. */
function addressFindings(address: StoreAddress): Finding[] {
  const deaf = deafInWords(address)
  return [`${lineOfAddress(address)}.`, ...(deaf === undefined ? [] : [deaf])].map(message => ({
    level: 'info',
    message,
  }))
}

/** Builds a limiter of the policies of each plan, and reports what it warns of. A wrong policy is an error of the command. */
async function ofPolicies(call: Call, io: CliIo): Promise<Finding[]> {
  const module = valueOf(call, 'policy')
  if (module === undefined) return []
  const { plans } = await loadLimits(module, io.cwd)
  return plans.flatMap(({ name, settings }) => {
    const found: Finding[] = []
    const make = (): RateLimiter =>
      new RateLimiter({
        ...settings,
        store: new InMemoryStore(),
        instances: 1,
        warn: ({ code, message, fix }) => void found.push({ level: 'problem', code, message, fix }),
      })
    const names =
      withPlansHint(make)
        .policies.map(policy => policy.name)
        .join(', ') || 'chosen by a function'
    const whose = name === undefined ? '' : `, plan ${name},`
    return [{ level: 'ok', message: `The limits of ${module}${whose} can be used: ${names}.` }, ...found]
  })
}

async function ofApp(call: Call, io: CliIo): Promise<readonly Finding[]> {
  const module = valueOf(call, 'app')
  return module === undefined ? [] : appFindings(module, io.cwd)
}

async function ofLog(call: Call, io: CliIo): Promise<Finding[]> {
  const log = valueOf(call, 'log')
  if (log === undefined) return []
  const survey = new ProxySurvey()
  const { cutShort } = await readLogs(
    [{ name: log, from: log === '-' ? io.stdin : resolve(io.cwd, log) }],
    {},
    each => survey.add(each),
  )
  const lost = cutShort.map((name): Finding => ({
    level: 'info',
    message: `${name} is cut or damaged in the middle of its compressed data, and the rest was not read.`,
  }))
  return [...survey.findings(), ...lost]
}

function lines({ level, code, message, fix }: Finding, io: CliIo): string[] {
  const { green, red, dim } = coloursOf(io, io.stdout)
  const mark = { ok: green('ok      '), problem: red('problem '), info: dim('info    ') }[level]
  const text = code === undefined ? message : `${code}: ${message}`
  return [mark + printable(text), ...(fix === undefined ? [] : [`        ${printable(fix)}`])]
}
