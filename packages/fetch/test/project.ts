// A project of a framework, in a folder below the tests, so that it finds their packages. It uses bundles of @halt/fetch and the Redis store.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { bundle, withoutTypes } from '../../../tools/bundle.ts'
import { examplesOfPage } from './page.ts'

const settings = { NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' } as const

/** A project that can be built and served. */
export interface Project {
  readonly folder: string
  /** Runs Node in the folder until it ends. Resolves to its output. */
  run(...args: string[]): Promise<string>
  /** Starts a server by Node. Resolves to its address, the first group of `pattern` in its output. */
  serve(pattern: RegExp, args: readonly string[], more?: Readonly<Record<string, string>>): Promise<string>
  /** Ends the server and removes the folder. */
  end(): Promise<void>
}

/**
 * Makes a project of the examples of a page, without their types, and of other files.
 *
 * @param page the page, such as `platforms/nextjs.md`
 */
export async function makeProject(page: string, files: Readonly<Record<string, string>>): Promise<Project> {
  const folder = await mkdtemp(fileURLToPath(new URL('behaviour/.project-', import.meta.url)))
  const write = async (path: string, text: string): Promise<void> => {
    const file = join(folder, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
  }
  for (const [path, code] of await examplesOfPage(page))
    await write(path.replace('.ts', '.js'), await withoutTypes(code))
  for (const [path, text] of Object.entries(files)) await write(path, text)
  for (const name of ['fetch', 'store-redis']) {
    await write(`node_modules/@halt/${name}/package.json`, '{ "type": "module", "main": "index.js" }')
    const halt = await bundle(new URL(`../../${name}/src/index.ts`, import.meta.url), 'es')
    await write(`node_modules/@halt/${name}/index.js`, halt)
  }

  let server: ChildProcess | undefined
  return {
    folder,
    async run(...args) {
      const { stdout, stderr } = await promisify(execFile)(process.execPath, args, {
        cwd: folder,
        env: { ...process.env, ...settings },
      })
      return stdout + stderr
    },
    serve(pattern, args, more = {}) {
      const started = spawn(process.execPath, args, {
        cwd: folder,
        env: { ...process.env, ...settings, ...more },
      })
      server = started
      return new Promise<string>((resolve, reject) => {
        let printed = ''
        const read = (text: string): void => {
          printed += text
          const found = pattern.exec(printed)?.[1]
          if (found !== undefined) resolve(found)
        }
        for (const stream of [started.stdout, started.stderr]) stream.setEncoding('utf8').on('data', read)
        started.once('exit', () => reject(new Error(`The server ended: ${printed}`)))
      })
    },
    async end() {
      server?.kill('SIGKILL')
      await rm(folder, { recursive: true })
    },
  }
}
