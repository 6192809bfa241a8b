// Lets a child process of plain Node run the sources of the workspace, each file by its own URL, so that each package finds
// its own dependencies: `node --import=…/typescript-hook.mjs --conditions=halt-source <file.ts>`.
import { readFile } from 'node:fs/promises'
import { register } from 'node:module'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'

// Node runs the hooks in a thread of their own, from this same file.
if (isMainThread) register(import.meta.url)

/**
 * Removes the types of a TypeScript file.
 * @param {string} url
 * @param {import('node:module').LoadHookContext} context
 * @param {(url: string, context: import('node:module').LoadHookContext) => Promise<import('node:module').LoadFnOutput>} next
 */
export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context)
  const { transform } = await import('rolldown/utils')
  const path = fileURLToPath(url)
  const { code, errors } = await transform(path, await readFile(path, 'utf8'), {
    typescript: { onlyRemoveTypeImports: true },
  })
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`)
  return { format: 'module', source: code, shortCircuit: true }
}
