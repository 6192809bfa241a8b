import { Redis } from 'ioredis'
import { randomUUID } from 'node:crypto'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import type { Finding } from '../../src/doctor/finding.ts'
import { combined, folderWith, halt } from '../halt.ts'

describe('halt doctor', () => {
  it('halt doctor finds a healthy Redis', async () => {
    let out = ''
    // On a busy machine the way to Redis is long at times.
    await expect
      .poll(async () => {
        const run = await halt(['doctor', '--redis', inject('redisUrl')])
        out = run.out
        return run.code
      })
      .toBe(0)
    expect(out).toMatch(
      /^info {4}Redis 127.*, database 0, prefix "halt:": .* live process.*\nok {6}Redis answers \(Redis \d/,
    )
    expect(out).toContain('A round trip takes')
    expect(out).toContain('The clock of Redis is')
    expect(out).toContain('Permissions, scripts, eviction and role')
  })

  it('halt doctor finds a user without permissions, and still measures', async () => {
    const name = `cli-${randomUUID()}`
    const admin = new Redis(inject('redisUrl'))
    onTestFinished(async () => {
      await admin.acl('DELUSER', name)
      await admin.quit()
    })
    await admin.acl('SETUSER', name, 'on', '>secret', '~*', '+ping')
    const url = new URL(inject('redisUrl'))
    ;[url.username, url.password] = [name, 'secret']
    const { code, out } = await halt(['doctor', '--redis', url.href, '--json'])
    const findings = JSON.parse(out) as Finding[]
    expect(code).toBe(1)
    expect(findings).toContainEqual(expect.objectContaining({ level: 'problem', code: 'HALT_W_PERMISSION' }))
    expect(findings).toContainEqual(
      expect.objectContaining({ message: expect.stringContaining('TIME is not permitted') }),
    )
  })

  it('halt doctor reports a Redis that does not answer as a problem', async () => {
    const { code, out } = await halt(['doctor', '--redis', 'redis://127.0.0.1:1'])
    expect([code, out]).toEqual([1, expect.stringContaining('problem HALT_E_STORE_UNAVAILABLE')])
  })

  it('halt doctor finds limits that are probably a mistake', async () => {
    const cwd = folderWith({ 'limits.mjs': `export default { name: 'a', limit: 5, window: 60000 }` })
    const { code, out } = await halt(['doctor', '--policy', 'limits.mjs'], { cwd })
    expect([code, out]).toEqual([1, expect.stringContaining('HALT_W_WINDOW_MS')])
  })

  it('halt doctor finds the proxies in a log, and prints the line to paste', async () => {
    const line = combined(0, '10.0.3.7').trimEnd()
    const cwd = folderWith({ 'access.log': `${line} "203.0.113.7"\n`.repeat(3) + combined(1, '203.0.113.8') })
    const { code, out } = await halt(['doctor', '--log', 'access.log'], { cwd })
    expect(code).toBe(0)
    expect(out).toContain(
      '10.0.3.7 sent 75 % of the requests, 100 % of them with X-Forwarded-For; it is a private address.',
    )
    expect(out).toContain('trustedProxies: ["10.0.3.7"]')
  })

  it('halt doctor finds no proxy where there is none', async () => {
    const { out } = await halt(['doctor', '--log', '-'], { stdin: combined(1, '203.0.113.8') })
    expect(out).toBe('ok      None of the 1 peers in the log looks like a proxy.\n')
  })
})
