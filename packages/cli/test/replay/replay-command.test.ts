import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { ReplayResult } from '../../src/replay/result.ts'
import { combined, folderWith, halt } from '../halt.ts'

// One client asks 60 times in a minute, nine ask five times each.
const log = Array.from({ length: 60 }, (_, second) => {
  const guest = second < 45 ? combined(second, `203.0.113.${(second % 9) + 1}`) : ''
  return combined(second, '198.51.100.9') + guest
}).join('')
const limits = `export default { name: 'per_ip', limit: 20, window: 60, algorithm: 'fixed-window' }`
const files = { 'access.log': log, 'access.log.gz': gzipSync(log), 'limits.mjs': limits }

describe('halt replay', () => {
  it('halt replay tells which clients would have been refused, by these limits and by others', async () => {
    const cwd = folderWith(files)
    const { code, out, err } = await halt(['replay', 'access.log', '--policy', 'limits.mjs'], { cwd })
    expect(err).toBe('')
    expect(code).toBe(0)
    expect(out).toMatchInlineSnapshot(`
      "105 requests from 2026-11-24T00:00:00Z to 2026-11-24T00:00:59Z (format combined)
      40 refused (38 %), 0 exempt

      policy  limit  requests  refused  share  keys  refused keys  share
      per_ip     20       105       40   38 %    10             1   10 %

      per_ip: the keys with the most refusals
      key              refused  of
      ip:198.51.100.9       40  60

      per_ip: other limits, each alone
      limit     refused  share  refused keys  share
      5              55   52 %             1   10 %
      10             50   48 %             1   10 %
      20 (now)       40   38 %             1   10 %
      40             20   19 %             1   10 %
      80              0    0 %             0    0 %
      "
    `)
  })

  it('halt replay gives the same for a packed file, for standard input, and for a log in two files', async () => {
    const half = log.indexOf('\n', log.length / 2) + 1
    const cwd = folderWith({ ...files, 'a.log': log.slice(0, half), 'b.log': log.slice(half) })
    const args = ['--policy', 'limits.mjs', '--json']
    const plain = await halt(['replay', 'access.log', ...args], { cwd })
    expect(JSON.parse(plain.out)).toMatchObject({
      requests: 105,
      refused: 40,
      policies: [{ keys: 10, keysRefused: 1 }],
    })
    expect(await halt(['replay', 'access.log.gz', ...args], { cwd })).toEqual(plain)
    expect(await halt(['replay', '-', ...args], { cwd, stdin: log })).toEqual(plain)
    expect(await halt(['replay', 'a.log', 'b.log', ...args], { cwd })).toEqual(plain)
  })

  it('halt replay finds the smallest limit that refuses fewer than a share of the clients', async () => {
    const cwd = folderWith(files)
    const args = ['replay', 'access.log', '--policy', 'limits.mjs', '--below']
    // The script needs 60, the guests five.
    expect((await halt([...args, '5'], { cwd })).out).toContain(
      '60 is the smallest limit that refuses fewer than 5 % of the keys.',
    )
    expect((await halt([...args, '50'], { cwd })).out).toContain(
      '5 is the smallest limit that refuses fewer than 50 % of the keys.',
    )
    const none = await halt([...args, '0'], { cwd })
    expect([none.code, none.out]).toEqual([
      1,
      expect.stringContaining('No limit that was tried refuses fewer than 0 %'),
    ])
  })

  it('halt replay compares the limits that are given', async () => {
    const cwd = folderWith(files)
    const { out } = await halt(
      ['replay', 'access.log', '--policy', 'limits.mjs', '--limits', '50,4', '--json'],
      { cwd },
    )
    const { policies } = JSON.parse(out) as ReplayResult
    expect(policies[0]!.limits).toEqual([
      { limit: 4, refused: 56 + 9, keysRefused: 10 },
      { limit: 50, refused: 10, keysRefused: 1 },
    ])
  })

  it('halt replay counts lines that are cut, and skips them', async () => {
    const cwd = folderWith({ ...files, 'access.log': `${log}${combined(61, '203.0.113.1').slice(0, 40)}` })
    const { out } = await halt(['replay', 'access.log', '--policy', 'limits.mjs'], { cwd })
    expect(out).toContain('1 of 106 lines skipped, because they are cut or of another format: 106')
  })

  it('halt replay tells that the rest of a damaged or cut log is lost', async () => {
    const noise = Array.from({ length: 40_000 }, (_, i) =>
      combined(i, `203.0.113.${i % 200}`, `u${Math.imul(i, 2654435761)}`),
    )
    const whole = gzipSync(noise.join(''))
    const damaged = Buffer.from(whole)
    damaged.fill(0x5a, (whole.length * 3) >> 2, ((whole.length * 3) >> 2) + 64)
    const cwd = folderWith({
      ...files,
      'damaged.gz': damaged,
      'cut.gz': whole.subarray(0, whole.length >> 1),
      'short.gz': gzipSync(log).fill(0x5a, 40, 80),
    })
    for (const name of ['damaged.gz', 'cut.gz']) {
      const { code, out } = await halt(['replay', name, '--policy', 'limits.mjs', '--limits', 'none'], {
        cwd,
      })
      expect([code, out]).toEqual([
        0,
        expect.stringContaining(
          `${name} is cut or damaged in the middle of its compressed data. The rest of it is lost, and counted nowhere here.`,
        ),
      ])
    }
    const { code, err } = await halt(['replay', 'short.gz', '--policy', 'limits.mjs'], { cwd })
    expect([code, err]).toEqual([
      expect.any(Number),
      expect.stringContaining('short.gz cannot be unpacked, because it is cut or damaged.'),
    ])
  })

  it('halt replay skips a date that no calendar has', async () => {
    const line = combined(1, '203.0.113.7').replace('24/Nov', '31/Feb')
    const json = `${JSON.stringify({ time: '2026-02-31T10:00:00Z', ip: '203.0.113.7' })}\n`
    const right = `${JSON.stringify({ time: '2026-02-28T10:00:00Z', ip: '203.0.113.7' })}\n`
    const cwd = folderWith({ ...files, 'a.log': line + combined(1, '203.0.113.7'), 'j.log': json + right })
    for (const name of ['a.log', 'j.log']) {
      const { out } = await halt(['replay', name, '--policy', 'limits.mjs'], { cwd })
      expect(out).toContain('1 of 2 lines skipped, because they are cut or of another format: 1')
    }
  })

  it('halt replay skips a time that is no instant, and counts its line', async () => {
    const line = (time: unknown, ip = '198.51.100.9'): string => `${JSON.stringify({ time, ip })}\n`
    const times = [1e300, -1e300, '1e300', `9${'0'.repeat(40)}`, 8.64e21 * 1e6]
    const cwd = folderWith({ ...files, 'j.log': line(1795510800) + times.map(time => line(time)).join('') })
    const { code, out, err } = await halt(['replay', 'j.log', '--policy', 'limits.mjs'], { cwd })
    expect([code, err]).toEqual([0, ''])
    expect(out).toContain('1 requests from 2026-11-24T09:00:00Z to 2026-11-24T09:00:00Z')
    expect(out).toContain('5 of 6 lines skipped')
  })

  it.each([
    ['the first line', [0]],
    ['a line in the middle', [30]],
    ['two lines in a row', [30, 31]],
    ['lines here and there', [1, 20, 50, 104]],
    ['the last line', [105]],
  ])(
    'halt replay leaves out %s with a date far ahead, says so, and decides all others as without it',
    async (_name, at) => {
      const far = combined(0, '203.0.113.1').replace('2026', '2099')
      const lines = log.split('\n').slice(0, -1)
      for (const i of at.toReversed()) lines.splice(i, 0, far.trim())
      const cwd = folderWith({ ...files, 'far.log': `${lines.join('\n')}\n` })
      const plain = JSON.parse(
        (await halt(['replay', 'access.log', '--policy', 'limits.mjs', '--json'], { cwd })).out,
      )
      const { code, out } = await halt(['replay', 'far.log', '--policy', 'limits.mjs', '--json'], { cwd })
      const { log: read, ...result } = JSON.parse(out) as ReplayResult
      const { log: plainLog, ...plainResult } = plain as ReplayResult
      expect(result).toEqual(plainResult)
      expect([code, read.farAhead]).toEqual([1, at.length])
      expect([read.from, read.to]).toEqual([plainLog.from, plainLog.to])
      const text = await halt(['replay', 'far.log', '--policy', 'limits.mjs'], { cwd })
      expect(text.out).toMatch(/skipped, dated more than a day after the lines around/)
    },
  )

  it('halt replay believes a log with days between its lines', async () => {
    const day = 86_400
    const days = [0, 1, 3 * day, 3 * day + 1, 40 * day, 300 * day]
    const line = (at: number): string =>
      `${JSON.stringify({ time: Date.UTC(2026, 0, 1) + at * 1000, ip: '203.0.113.1' })}\n`
    const cwd = folderWith({ ...files, 'j.log': days.map(line).join('') })
    const { code, out } = await halt(['replay', 'j.log', '--policy', 'limits.mjs', '--json'], { cwd })
    expect([code, JSON.parse(out)]).toMatchObject([0, { requests: days.length, log: { farAhead: 0 } }])
  })

  it('halt replay says by its exit code that lines are behind others by more than a day', async () => {
    const old = combined(0, '203.0.113.1').replace('24/Nov', '01/Nov')
    const cwd = folderWith({ ...files, 'two.log': log + old })
    const { code, out } = await halt(['replay', 'two.log', '--policy', 'limits.mjs'], { cwd })
    expect([code, out]).toEqual([1, expect.stringContaining('1 line out of order')])
  })

  it('halt replay writes a report with plots in which no text of the log is markup or script', async () => {
    const evil = {
      ...files,
      'access.log': combined(0, '203.0.113.1', '</script><script>alert(1)</script>').repeat(3),
    }
    const cwd = folderWith({
      ...evil,
      'limits.mjs': `export default { name: 'u', limit: 1, window: 60, keyStrategy: 'user' }`,
    })
    const { code } = await halt(['replay', 'access.log', '--policy', 'limits.mjs', '--html', 'r.html'], {
      cwd,
    })
    expect(code).toBe(0)
    const html = readFileSync(join(cwd, 'r.html'), 'utf8')
    expect(html).toContain('uPlot')
    expect(html).toContain('alert(1)')
    expect(html).not.toContain('<script>alert(1)')
  })

  it('halt replay shows a progress bar on a terminal, and colours unless NO_COLOR is set', async () => {
    const cwd = folderWith(files)
    const args = ['replay', 'access.log', '--policy', 'limits.mjs']
    const shown = await halt(args, { cwd, isTTY: true })
    expect(shown.err).toMatch(/100 % 105 lines/)
    expect(shown.out).toContain('\u001b[1m')
    expect((await halt(args, { cwd, isTTY: true, env: { NO_COLOR: '1' } })).out).not.toContain('\u001b')
  })

  it.each([
    ['HALT_E_LOG', 3, ['replay', 'missing.log', '--policy', 'limits.mjs']],
    ['HALT_E_LOG', 3, ['replay', 'empty.log', '--policy', 'limits.mjs']],
    ['HALT_E_LOG', 3, ['replay', 'limits.mjs', '--policy', 'limits.mjs']],
    ['HALT_E_LOG', 3, ['replay', 'access.log', '--policy', 'limits.mjs', '--format', 'alb']],
    ['HALT_E_LOG', 3, ['replay', 'access.log', '--policy', 'limits.mjs', '--html', 'no/such/folder.html']],
    ['HALT_E_POLICY_MODULE', 3, ['replay', 'access.log', '--policy', 'missing.mjs']],
    ['HALT_E_POLICY_MODULE', 3, ['replay', 'access.log', '--policy', 'nothing.mjs']],
    ['HALT_E_LIMIT', 3, ['replay', 'access.log', '--policy', 'wrong.mjs']],
    ['HALT_E_COMMAND', 2, ['replay', 'access.log']],
    ['HALT_E_COMMAND', 2, ['replay', '--policy', 'limits.mjs']],
    ['HALT_E_COMMAND', 2, ['replay', 'access.log', '--policy', 'limits.mjs', '--format', 'iis']],
    ['HALT_E_COMMAND', 2, ['replay', 'access.log', '--policy', 'limits.mjs', '--below', 'x']],
    ['HALT_E_COMMAND', 2, ['replay', 'access.log', '--policy', 'limits.mjs', '--limits', '10,x']],
    ['HALT_E_COMMAND', 2, ['replay', 'access.log', '--policy', 'limits.mjs', '--fields', 'adress=x']],
  ])('halt replay fails with %s and exit code %i: %j', async (error, exit, args) => {
    const wrong = {
      'empty.log': '',
      'nothing.mjs': 'export const x = 1',
      'wrong.mjs': `export default { name: 'a', limit: 0, window: 1 }`,
    }
    const { code, out, err } = await halt(args, { cwd: folderWith({ ...files, ...wrong }) })
    expect([code, err]).toEqual([exit, expect.stringContaining(`halt: ${error}: `)])
    expect(out).toBe('')
  })
})
