import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Runs a script of this folder in a fresh process and resolves to the JSON on its last line. */
export async function runChild<T>(
  script: string,
  args: readonly string[],
  flags: readonly string[] = [],
): Promise<T> {
  const path = fileURLToPath(new URL(script, import.meta.url))
  const lines = (await output([...flags, path, ...args])).trim().split('\n')
  return JSON.parse(lines.at(-1) ?? '') as T
}

/** Runs `node`. Resolves to its output, or rejects with its errors. */
function output(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { maxBuffer: 1 << 24, timeout: 300_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`node ${args.join(' ')}: ${error.message}\n${stderr}`))
    })
  })
}
