// The command as a process of its own, as a shell starts it.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type ProcessScript, processScript } from '../../../../tools/process-script.ts'
import { combined, folderWith } from '../halt.ts'

let program: ProcessScript
beforeAll(async () => {
  program = await processScript(new URL('../../bin/halt.mjs', import.meta.url))
})
afterAll(() => program.remove())

describe('the process of halt', () => {
  it('halt ends with its exit code, even if the module of the limits keeps a timer', () => {
    const cwd = folderWith({
      'limits.mjs': `setInterval(() => {}, 1000); export default { name: 'a', limit: 1, window: 60 }`,
    })
    const input = combined(0, '203.0.113.1').repeat(3)
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [program.path, 'replay', '-', '--policy', 'limits.mjs', '--json'],
      {
        cwd,
        input,
        encoding: 'utf8',
      },
    )
    expect([status, stderr]).toEqual([0, ''])
    expect(JSON.parse(stdout)).toMatchObject({ requests: 3, refused: 2 })
  })

  it('halt ends with a code when the module of the limits listens on a port that is taken', async () => {
    const taken = createServer().listen(0)
    await once(taken, 'listening')
    onTestFinished(() => void taken.close())
    const { port } = taken.address() as AddressInfo
    const cwd = folderWith({
      'app.mjs': `import { createServer } from 'node:http'
createServer().listen(${port})
await new Promise(resolve => setTimeout(resolve, 5_000))`,
    })
    const { status, stderr } = spawnSync(
      process.execPath,
      [program.path, 'replay', '-', '--policy', 'app.mjs'],
      {
        cwd,
        encoding: 'utf8',
      },
    )
    expect(status).toBe(3)
    expect(stderr).toMatch(/^halt: HALT_E_POLICY_MODULE: .*EADDRINUSE.* Import no server that listens/)
  })

  it('halt ends with a code when the module of the limits waits for ever', () => {
    const cwd = folderWith({ 'limits.mjs': 'await new Promise(() => {})' })
    const { status, stderr } = spawnSync(
      process.execPath,
      [program.path, 'replay', '-', '--policy', 'limits.mjs'],
      {
        cwd,
        encoding: 'utf8',
      },
    )
    expect([status, stderr]).toEqual([
      3,
      expect.stringMatching(/halt: HALT_E_POLICY_MODULE: .* waits for something that never comes\./),
    ])
  })

  it('halt ends quietly when the reader of its output leaves', async () => {
    const child = spawn(process.execPath, [program.path, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.destroy()
    let err = ''
    child.stderr.on('data', (part: Buffer) => (err += String(part)))
    const code = await new Promise(resolve => child.once('close', resolve))
    expect([code, err]).toEqual([0, ''])
  })
})
