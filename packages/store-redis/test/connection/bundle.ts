import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** A JavaScript bundle of the sources, for child processes, because Node 20 runs no TypeScript. */
export interface Bundle {
  readonly url: string
  remove(): Promise<void>
}

/**
 * Bundles two entries with their imports, `connection.mjs` and `store.mjs` in one folder. Resolves to the first.
 *
 * @param libraries libraries of Redis clients, which become one file each, too: a process loads hundreds of files in twice the time
 */
export function bundleConnection(libraries: readonly string[] = []): Promise<Bundle> {
  const sources = { connection: 'src/connection/index.ts', store: 'src/index.ts' }
  return bundleEntries(
    { ...sources, ...Object.fromEntries(libraries.map(name => [name, name])) },
    'connection',
  )
}

/**
 * Bundles entries with their imports into one folder.
 *
 * @param input files, by the names of their bundles
 * @param first the one whose address is wanted
 */
export async function bundleEntries(input: Readonly<Record<string, string>>, first: string): Promise<Bundle> {
  // Vite comes with Vitest.
  const path = createRequire(createRequire(import.meta.url).resolve('vitest/package.json')).resolve('vite')
  const { build } = (await import(pathToFileURL(path).href)) as {
    build: (config: object) => Promise<unknown>
  }
  const dir = await mkdtemp(join(tmpdir(), 'halt-bundle-'))
  await build({
    root: fileURLToPath(new URL('../..', import.meta.url)),
    configFile: false,
    logLevel: 'error',
    ssr: { noExternal: true, resolve: { conditions: ['halt-source', 'node'] } },
    build: {
      ssr: true,
      outDir: dir,
      rollupOptions: {
        input,
        output: { entryFileNames: '[name].mjs', chunkFileNames: '[name].mjs' },
      },
    },
  })
  const url = pathToFileURL(join(dir, `${first}.mjs`)).href
  return { url, remove: () => rm(dir, { recursive: true, force: true }) }
}
