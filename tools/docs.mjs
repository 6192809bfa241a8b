// Builds and serves the documentation site:
//   npm run docs             builds the site, checks its links and serves it
//   npm run docs -- --dev    serves the pages and shows each change at once, without the API reference
//   npm run docs -- --check  builds the site and checks it in a browser
import { join } from 'node:path'
import { pnpm, root } from './pnpm.mjs'
import { setup } from './setup.mjs'

const [mode = '--serve'] = process.argv.slice(2)
const scripts = {
  '--serve': ['site', 'serve'],
  '--dev': ['dev'],
  '--check': ['site', 'check'],
  '--build': ['site'],
}[mode]
if (scripts === undefined) {
  console.error(`npm run docs takes --dev, --check, --build or nothing, not ${mode}.`)
  process.exit(1)
}
try {
  setup()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
const build = ['exec', 'turbo', 'run', 'build', '--filter=@halt/site^...', '--output-logs=errors-only']
for (const args of [build, ...scripts.map(name => ['--dir', join(root, 'apps/site'), 'run', name])]) {
  const status = pnpm(args)
  if (status !== 0) process.exit(status)
}
