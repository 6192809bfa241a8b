import { inspect } from 'node:util'

import { StoreError } from '@halt/core/store'
import { describe, expect, it } from 'vitest'

import { toStoreError } from '../../src/connection/index.ts'

/** An error of ioredis, which has the command attached. */
function replyError(message: string): Error {
  const error = new Error(message)
  error.name = 'ReplyError'
  return Object.assign(error, { command: { name: 'auth', args: ['default', 'hunter2'] } })
}

describe('toStoreError', () => {
  it.each([
    ["Stream isn't writeable and enableOfflineQueue options is false", true],
    ['The client is closed', true],
    ['The client is offline', true],
    ['Connection is closed.', undefined],
    ['Socket closed unexpectedly', undefined],
    ['read ECONNRESET', undefined],
  ])('toStoreError knows whether the call was never sent: %s', (message, unsent) => {
    expect(toStoreError(new Error(message))).toMatchObject({ message, failure: 'unavailable' })
    expect((toStoreError(new Error(message)) as { unsent?: boolean }).unsent).toBe(unsent)
  })

  it.each([
    ['NOAUTH Authentication required.', 'NOAUTH', 'misconfigured', 'AUTH'],
    ['WRONGPASS invalid username-password pair or user is disabled.', 'WRONGPASS', 'misconfigured', 'AUTH'],
    ['ERR invalid password', 'ERR', 'misconfigured', 'AUTH'],
    [
      "NOPERM this user has no permissions to run the 'evalsha' command",
      'NOPERM',
      'misconfigured',
      'PERMISSION',
    ],
    [
      "ERR The user executing the script can't run this command or subcommand script: abc",
      'ERR',
      'misconfigured',
      'PERMISSION',
    ],
    [
      'ERR Error running script (call to f_ab): @user_script:3: @user_script: 3: -NOPERM no',
      'NOPERM',
      'misconfigured',
      'PERMISSION',
    ],
    [
      'ERR Error running script (call to f_ab): @user_script:3: @user_script: 3: -OOM command not allowed',
      'OOM',
      'full',
      'OOM',
    ],
    [
      "OOM command not allowed when used memory > 'maxmemory'. script: ab, on @user_script:3.",
      'OOM',
      'full',
      'OOM',
    ],
    ['ERR This Redis command is not allowed from script script: ab', 'ERR', 'misconfigured', 'MISCONFIGURED'],
    [
      'ERR @user_script: 1: This Redis command is not allowed from scripts',
      'ERR',
      'misconfigured',
      'MISCONFIGURED',
    ],
    [
      'ERR Write commands not allowed after non deterministic commands',
      'ERR',
      'misconfigured',
      'MISCONFIGURED',
    ],
    ["ERR unknown command 'EVALSHA', with args beginning with: ", 'ERR', 'misconfigured', 'MISCONFIGURED'],
    [
      'WRONGTYPE Operation against a key holding the wrong kind of value',
      'WRONGTYPE',
      'misconfigured',
      'MISCONFIGURED',
    ],
    ["CROSSSLOT Keys in request don't hash to the same slot", 'CROSSSLOT', 'misconfigured', 'CLUSTER'],
    ['MOVED 3999 127.0.0.1:6381', 'MOVED', 'misconfigured', 'CLUSTER'],
    ["READONLY You can't write against a read only replica.", 'READONLY', 'unavailable', 'READONLY'],
    ['LOADING Redis is loading the dataset in memory', 'LOADING', 'unavailable', 'UNAVAILABLE'],
    ['BUSY Redis is busy running a script.', 'BUSY', 'unavailable', 'UNAVAILABLE'],
    [
      "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
      'MASTERDOWN',
      'unavailable',
      'UNAVAILABLE',
    ],
    ['CLUSTERDOWN The cluster is down', 'CLUSTERDOWN', 'unavailable', 'UNAVAILABLE'],
    ['TRYAGAIN Multiple keys request during rehashing of slot', 'TRYAGAIN', 'unavailable', 'UNAVAILABLE'],
    [
      'Too many Cluster redirections. Last error: ReplyError: ASK 3999 127.0.0.1:6381',
      'ASK',
      'unavailable',
      'UNAVAILABLE',
    ],
    ['ERR max number of clients reached', 'ERR', 'unavailable', 'UNAVAILABLE'],
    ['ERR Error compiling script (new function): user_script:1: x', 'ERR', 'script', 'SCRIPT'],
    [
      'ERR user_script:2: attempt to index a nil value script: ab, on @user_script:2.',
      'ERR',
      'script',
      'SCRIPT',
    ],
    ['connect ECONNREFUSED 127.0.0.1:6379', undefined, 'unavailable', 'UNAVAILABLE'],
    ['Connection is closed.', undefined, 'unavailable', 'UNAVAILABLE'],
    ['connect ETIMEDOUT', undefined, 'unavailable', 'UNAVAILABLE'],
    ['Connection timeout', undefined, 'unavailable', 'UNAVAILABLE'],
    ['Command timed out', undefined, 'timeout', 'TIMEOUT'],
  ])('toStoreError classifies %s', (message, reply, failure, code) => {
    expect(toStoreError(new Error(message))).toMatchObject({
      message,
      reply,
      failure,
      code: `HALT_E_STORE_${code}`,
    })
  })

  it('toStoreError returns a StoreError as it is', () => {
    const error = toStoreError(new Error('x'))
    expect(toStoreError(error)).toBe(error)
    expect(error).toBeInstanceOf(StoreError)
    expect(error).toBeInstanceOf(Error)
  })

  it('toStoreError reads the error that a cluster client wraps', () => {
    const refused = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })
    expect(toStoreError(refused)).toMatchObject({
      message: 'ECONNREFUSED',
      reply: undefined,
      failure: 'unavailable',
    })
    const all = Object.assign(new Error('Failed to refresh slots cache.'), {
      lastNodeError: replyError('NOAUTH no'),
    })
    expect(toStoreError(all)).toMatchObject({ reply: 'NOAUTH', failure: 'misconfigured' })
    const many = new Error('Too many Cluster redirections', { cause: new Error('MOVED 1 a:1') })
    expect(toStoreError(many)).toMatchObject({ reply: 'MOVED', failure: 'unavailable' })
  })

  it.each([undefined, null, 'gone', 7, {}])('toStoreError accepts any thrown value: %o', thrown => {
    expect(toStoreError(thrown)).toMatchObject({ failure: 'unavailable', reply: undefined })
  })

  it('a store error shows no command, because that may hold a password', () => {
    const aborted = replyError('Command aborted due to connection close')
    const wrapped = Object.assign(new Error('Failed to refresh slots cache.'), {
      lastNodeError: replyError('x'),
    })
    for (const error of [replyError('WRONGPASS no'), aborted, wrapped]) {
      expect(inspect(toStoreError(error), { depth: 9, showHidden: true })).not.toContain('hunter2')
    }
    const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', port: 1 })
    expect(toStoreError(cause).cause).toBe(cause)
  })
})
