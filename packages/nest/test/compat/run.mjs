// Checks the packed packages against fresh applications: Nest 11 as CommonJS under Jest, Nest 12 as ES modules under
// Vitest. Run it by hand, because it installs from the registry: node packages/nest/test/compat/run.mjs [11|12]
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { pnpm } from '../../../../tools/pnpm.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const packages = join(here, '../../..')
const compilerOptions = {
  target: 'ES2022',
  strict: true,
  skipLibCheck: true,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  types: ['node'],
}
const common = {
  'reflect-metadata': '^0.2',
  rxjs: '^7',
  graphql: '^16',
  ws: '^8',
  '@types/ws': '^8',
  '@types/node': '^22',
}
const nest = (version, names) => Object.fromEntries(names.map(name => [`@nestjs/${name}`, `^${version}`]))
const FRAMEWORK = ['common', 'core', 'microservices', 'websockets', 'testing']
const PLATFORMS = ['platform-express', 'platform-fastify', 'platform-ws', 'platform-socket.io']

const apps = {
  11: {
    type: 'commonjs',
    run: ['jest', '--forceExit'],
    dependencies: {
      ...nest(11, [...FRAMEWORK, ...PLATFORMS, 'swagger']),
      ...nest(13, ['graphql', 'apollo']),
      '@apollo/server': '^4',
      '@as-integrations/express5': '^1',
      jest: '^30',
      'ts-jest': '^29',
      typescript: '~5.9',
    },
    files: {
      'tsconfig.json': {
        compilerOptions: {
          ...compilerOptions,
          module: 'CommonJS',
          moduleResolution: 'Node10',
          esModuleInterop: true,
        },
      },
      'jest.config.json': { preset: 'ts-jest', testEnvironment: 'node' },
    },
  },
  12: {
    type: 'module',
    run: ['vitest', 'run', '--globals'],
    dependencies: {
      ...nest(12, [...FRAMEWORK, ...PLATFORMS, 'swagger']),
      ...nest(14, ['graphql', 'apollo']),
      '@apollo/server': '^5',
      '@as-integrations/express5': '^1',
      vitest: '4.1.12',
      typescript: '7.0.2',
    },
    files: { 'tsconfig.json': { compilerOptions: { ...compilerOptions, module: 'NodeNext' } } },
  },
}

function run(cwd, command, ...args) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: 'inherit' })
  if (error) console.error(error.message)
  if (status !== 0) process.exit(status ?? 1)
}

const wanted = process.argv[2]
const tarballs = mkdtempSync(join(tmpdir(), 'halt-packed-'))
for (const name of ['core', 'store-memory', 'nest']) {
  run(join(packages, name), process.execPath, '../../tools/build.mjs')
  const args = ['--dir', `packages/${name}`, 'pack', '--pack-destination', tarballs, '--reporter', 'silent']
  if (pnpm(args) !== 0) process.exit(1)
}
const halt = Object.fromEntries(
  readdirSync(tarballs).map(file => [
    `@halt/${file.replace(/^halt-(.*)-\d+\.\d+\.\d+.*$/, '$1')}`,
    `file:${join(tarballs, file)}`,
  ]),
)
for (const [version, { type, run: command, dependencies, files }] of Object.entries(apps)) {
  if (wanted !== undefined && wanted !== version) continue
  const folder = join(tarballs, `nest${version}`)
  mkdirSync(folder)
  const all = { ...halt, ...common, ...dependencies, 'socket.io-client': '^4' }
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ private: true, type, dependencies: all, overrides: halt }),
  )
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(folder, name), JSON.stringify(content))
  copyFileSync(join(here, 'app.spec.ts'), join(folder, 'app.spec.ts'))
  run(folder, 'npm', 'install', '--no-audit', '--no-fund', '--legacy-peer-deps')
  run(folder, 'npx', '--no-install', 'tsc', '--noEmit')
  run(folder, 'npx', '--no-install', ...command)
}
