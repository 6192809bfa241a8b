// Limits in TypeScript, loaded by the command as a process of its own: the test runner would load TypeScript itself.
import { spawnSync } from 'node:child_process'
import { mkdirSync, realpathSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { afterAll, beforeAll, expect, it } from 'vitest'

import { type ProcessScript, processScript } from '../../../../tools/process-script.ts'
import { combined, folderWith } from '../halt.ts'

let program: ProcessScript
beforeAll(async () => {
  program = await processScript(new URL('../../bin/halt.mjs', import.meta.url))
})
afterAll(() => program.remove())

/** Modules that need more of TypeScript than Node has: an import of what a compiler will write, and an enum. */
const files = {
  'package.json': '{ "type": "module" }',
  'access.log': combined(0, '203.0.113.1').repeat(3),
  'plans.ts': `enum Most { FREE = 1 }
type Plan = 'free'
export const plans = { free: [{ name: 'free', limit: Most.FREE, window: '1m' }] } satisfies Record<Plan, object[]>`,
  'limits.ts': `import { plans } from './plans.js'
export { plans }
export default { name: 'everybody', limit: 2, window: 60 as number }`,
  'limits.mjs': `export { default, plans } from './limits.ts'`,
  'plain.ts': `type Limit = { name: string; limit: number; window: number }
export default { name: 'everybody', limit: 2, window: 60 } satisfies Limit`,
  'broken.ts': `throw new Error('no HALT_SECRET')`,
  'astray.ts': `import { plans } from './nowhere.js'
export default plans satisfies unknown`,
}

/** A project with these loaders of TypeScript. */
function project(...loaders: readonly string[]): string {
  const cwd = folderWith(files)
  mkdirSync(join(cwd, 'node_modules'))
  for (const name of loaders) {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`)
    symlinkSync(realpathSync(dirname(manifest)), join(cwd, 'node_modules', name), 'junction')
  }
  return cwd
}

/** Replays three requests of one address: the exit code, the refused requests by policy, and standard error. */
function replay(cwd: string, policy: string): { code: number | null; refused: unknown; err: string } {
  const args = [program.path, 'replay', 'access.log', '--policy', policy, '--json']
  // Without the folder in which pnpm would find every loader.
  const env = { ...process.env, NODE_PATH: '' }
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, env, encoding: 'utf8' })
  interface Report {
    readonly refused: number
  }
  const printed =
    stdout === '' ? undefined : (JSON.parse(stdout) as Report & { readonly plans?: readonly Report[] })
  return { code: status, refused: printed?.plans?.map(plan => plan.refused) ?? printed?.refused, err: stderr }
}

it.each(['tsx', 'jiti'])('%s of the project runs limits whose TypeScript Node does not run', loader => {
  expect(replay(project(loader), 'limits.ts')).toEqual({ code: 0, refused: [2], err: '' })
})

it('tsx goes before jiti, and also runs TypeScript that JavaScript imports', () => {
  const cwd = project('jiti', 'tsx')
  expect(replay(cwd, 'limits.mjs')).toMatchObject({ code: 0, refused: [2] })
  expect(replay(cwd, 'broken.ts').err).toContain('no HALT_SECRET')
  expect(replay(cwd, 'astray.ts').err).toMatch(/nowhere.* \(by tsx\)\. Give a module that Node can import/)
})

it('a module that a weaker loader does not find names tsx as the fix', () => {
  expect(replay(project('jiti'), 'astray.ts').err).toMatch(
    /HALT_E_POLICY_MODULE: astray\.ts cannot be loaded: .*nowhere.* \(by jiti\)\. .* npm install --save-dev tsx\./,
  )
})

it('without a loader Node runs the TypeScript that it can, and else an error has the command that helps', () => {
  const cwd = project()
  const { typescript = false } = process.features as { readonly typescript?: unknown }
  const { code, refused, err } = replay(cwd, 'plain.ts')
  if (typescript !== false) expect([code, refused]).toEqual([0, 1])
  else
    expect([code, err]).toEqual([
      3,
      expect.stringMatching(
        /HALT_E_POLICY_MODULE: plain\.ts cannot be loaded: Node \S+ does not run TypeScript, and the project has neither tsx nor jiti\. Install tsx in the project: npm install --save-dev tsx\. Or use Node 22\.18 or newer\./,
      ),
    ])
  expect(replay(cwd, 'limits.ts')).toMatchObject({
    code: 3,
    err: expect.stringContaining('npm install --save-dev tsx'),
  })
})

it('a file that is missing is no question of loaders', () => {
  expect(replay(project('jiti'), 'missing.ts').err).toMatch(
    /missing\.ts cannot be loaded: Cannot find module '[^']*missing\.ts'[^(]*Give a module/,
  )
})
