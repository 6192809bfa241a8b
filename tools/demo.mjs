// Builds and runs a demo app:
//   npm run demo                 Express
//   npm run demo -- fastify      or hono, nest
//   npm run demo -- queue        workers that wait for their turn
//   npm run demo -- lease        processes that share one busy limit
//   npm run demo -- durable      a month's quota that lives through a killed process
//   npm run demo -- fair         one loud tenant beside others, on one limit
//   npm run demo -- budget       agents of several processes that share a budget of money
//   npm run demo -- tools        an agent that loops, without and with limits inside its tool calls
//   npm run demo -- overload     a small shop under a surge, with a load shedder and without
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root, startPnpm } from './pnpm.mjs'
import { checkNode } from './setup.mjs'

const [name = 'express', ...args] = process.argv.slice(2)
const app = `demo-${name}`
const names = readdirSync(join(root, 'apps'))
  .filter(entry => existsSync(join(root, 'apps', entry, 'src/demo.ts')) && entry !== 'demo-kit')
  .map(entry => entry.slice('demo-'.length))
if (!names.includes(name)) {
  console.error(`There is no demo "${name}". Choose one of ${names.join(', ')}.`)
  process.exit(1)
}

try {
  checkNode()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
console.log(`Installing the packages and building ${app}. The first time takes about a minute.\n`)
const build = ['exec', 'turbo', 'run', 'build', `--filter=@halt/${app}`, '--output-logs=errors-only']
for (const args of [['install', '--frozen-lockfile'], build]) {
  // What they say is of use only if they fail.
  const { status, output } = await startPnpm(args)
  if (status === 0) continue
  console.error(output.trim())
  process.exit(status)
}

const demo = spawn(process.execPath, [join(root, 'apps', app, 'dist/demo.js'), ...args], { stdio: 'inherit' })
// The demo ends by itself or by Ctrl-C. This process waits for it and passes its exit code on.
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.on(signal, () => demo.kill(signal))
demo.on('exit', code => process.exit(code ?? 1))
