// The commands on a file of SQLite, which an application of another process uses.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Control } from '@halt/control'
import { RateLimiter } from '@halt/core'
import { SqliteStore } from '@halt/store-sqlite'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'

import { folderWith, halt } from '../halt.ts'

const policy = { name: 'per_user', limit: 2, window: 3600, keyStrategy: 'user' } as const
const cwd = (): string => folderWith({ 'limits.mjs': `export const policies = [${JSON.stringify(policy)}]` })

/** An application whose limits are in a file. */
function app(): { readonly file: string; readonly limiter: RateLimiter; readonly control: Control } {
  const folder = mkdtempSync(join(tmpdir(), 'halt-cli-sqlite-'))
  const file = join(folder, 'limits.db')
  const database = new Database(file)
  const store = new SqliteStore({ database })
  const control = new Control({ store })
  const limiter = new RateLimiter({ store, control, policy, storeTimeout: '30s' })
  onTestFinished(async () => {
    control.close()
    await limiter.close()
    database.close()
    rmSync(folder, { recursive: true })
  })
  return { file, limiter, control }
}

describe('a command on SQLite', () => {
  it('find, reset and block act on the clients of the application', async () => {
    const { file, limiter, control } = app()
    const user = { user: '42' }
    for (let i = 0; i < 3; i++) await limiter.consume(user)
    await control.refresh()
    const on = ['--sqlite', file]
    const found = await halt(['find', 'user:42', '--policy', 'limits.mjs', ...on], { cwd: cwd() })
    expect([found.code, found.out]).toEqual([1, expect.stringContaining('1 live process')])
    expect(found.out).toContain('per_user')
    const reset = await halt(['reset', 'user:42', '--policy', 'limits.mjs', '--reason', 'forgot', ...on], {
      cwd: cwd(),
    })
    expect(reset.code, reset.out + reset.err).toBe(0)
    // The application remembers a refusal for up to a second.
    await expect.poll(async () => (await limiter.consume(user)).allowed).toBe(true)
    expect((await halt(['block', 'user:42', '--for', '1h', ...on], { cwd: cwd() })).code).toBe(0)
    await control.refresh()
    expect((await limiter.consume(user)).reason).toBe('blocked')
  })

  it('a file of the environment is asked, and an option wins over it', async () => {
    const { file, limiter } = app()
    await limiter.consume({ user: '42' })
    const env = { HALT_SQLITE_FILE: file }
    const found = await halt(['entries'], { cwd: cwd(), env })
    expect(found.out).toContain(`SQLite ${file}, prefix "halt_"`)
    const other = app()
    await other.limiter.consume({ user: '42' })
    expect((await halt(['entries', '--sqlite', other.file], { cwd: cwd(), env })).out).toContain(other.file)
  })

  it('another prefix ends with 3, and names only the one that processes use', async () => {
    const { file, limiter } = app()
    await limiter.consume({ user: '42' })
    for (const prefix of ['wrong_', 'other_']) {
      const lost = await halt(['entries', '--sqlite', file, '--prefix', prefix], { cwd: cwd() })
      expect(lost.code).toBe(3)
      expect(lost.err).toContain('Processes use the prefix "halt_": give --prefix "halt_"')
    }
  })

  it('a file that is not there, two stores, a wrong prefix and a file of another kind are refused', async () => {
    const { file } = app()
    for (const [args, text] of [
      [['entries', '--sqlite', 'nowhere.db'], 'There is no file nowhere.db.'],
      [['entries', '--sqlite', file, '--redis', 'redis://localhost'], '--redis and --sqlite are both given.'],
      [['entries', '--sqlite', file, '--prefix', 'a b'], 'prefix'],
      [['entries', '--sqlite', 'limits.mjs'], 'HALT_E_STORE_CORRUPT'],
    ] as const) {
      const refused = await halt([...args], { cwd: cwd() })
      expect([args.at(-1), refused.code]).toEqual([args.at(-1), 2])
      expect(refused.err).toContain(text)
    }
  })

  it('a path that SQLite cannot open is told', async () => {
    const { code, err } = await halt(['entries', '--sqlite', '.'], { cwd: cwd() })
    expect(code).not.toBe(0)
    expect(err).toContain('HALT_E_STORE_UNAVAILABLE')
    expect(err).toContain('cannot be opened: ')
  })

  it('doctor says that the file is as it should be', async () => {
    const { file, limiter } = app()
    await limiter.consume({ user: '42' })
    const { code, out } = await halt(['doctor', '--sqlite', file], { cwd: cwd() })
    expect(code, out).toBe(0)
    expect(out).toContain('The file, its log and its tables are as Halt needs them.')
  })
})
