// Builds the package in the current folder twice with the compiler alone: dist/esm and dist/cjs.
import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url))
const commonjs = ['--module', 'CommonJS', '--moduleResolution', 'Bundler', '--verbatimModuleSyntax', 'false']

/** @param {string} outDir @param {string[]} options */
function compile(outDir, options = []) {
  const args = [tsc, '-p', 'tsconfig.build.json', '--outDir', outDir, ...options]
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

rmSync('dist', { recursive: true, force: true })
compile('dist/esm')
compile('dist/cjs', commonjs)
// The nearest package.json says what a .js file is; the package's own says "module".
writeFileSync('dist/cjs/package.json', '{ "type": "commonjs", "sideEffects": false }\n')
