// Bundles the suite with the sources of Halt into dist/, because some faults start processes, and Node 20 does not run
// TypeScript.
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('.', import.meta.url))

/** Writes `dist/main.js`, the command, and the processes that it starts. */
export async function bundle() {
  // Vite comes with Vitest.
  const path = createRequire(createRequire(import.meta.url).resolve('vitest/package.json')).resolve('vite')
  const { build } = await import(pathToFileURL(path).href)
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    ssr: { noExternal: [/^@halt\//], resolve: { conditions: ['halt-source', 'node'] } },
    build: {
      ssr: true,
      outDir: 'dist',
      target: 'node20',
      rollupOptions: {
        input: Object.fromEntries(
          ['main', 'counter', 'solitary', 'deployed'].map(name => [name, `src/${name}.ts`]),
        ),
        output: { entryFileNames: '[name].js', chunkFileNames: '[name].js' },
      },
    },
  })
}
