// Builds sources for tests, with the bundler of Vitest.
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

interface Vite {
  readonly build: (config: object) => Promise<{ output: { code: string }[] }[]>
  readonly transformWithOxc: (code: string, name: string) => Promise<{ code: string }>
}

const require = createRequire(import.meta.url)
const vite = createRequire(require.resolve('vitest/package.json')).resolve('vite')
const loadVite = (): Promise<Vite> => import(/* @vite-ignore */ vite) as Promise<Vite>

/**
 * Bundles a module with all that it imports, for the web: with the settings of wrangler.
 *
 * @param format `iife` makes a script with a variable `worker`, which holds the exports
 * @param external modules that the runtime itself has
 * @param define texts of code by the names that they replace
 */
export async function bundle(
  entry: URL,
  format: 'iife' | 'es',
  external: readonly RegExp[] = [],
  define: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { build } = await loadVite()
  const built = await build({
    configFile: false,
    logLevel: 'error',
    define,
    resolve: { conditions: ['halt-source', 'workerd', 'worker', 'browser'] },
    build: {
      lib: { entry: fileURLToPath(entry), name: 'worker', formats: [format] },
      write: false,
      minify: false,
      target: 'es2022',
      // One file, as wrangler makes it.
      rollupOptions: { external, output: { codeSplitting: false } },
    },
  })
  return built[0]?.output[0]?.code ?? ''
}

/** Removes the types of a TypeScript module. */
export async function withoutTypes(code: string): Promise<string> {
  const { transformWithOxc } = await loadVite()
  return (await transformWithOxc(code, 'module.ts')).code
}
