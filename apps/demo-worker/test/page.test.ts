// Runs the Workers of docs/workers.md.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, expect, it, onTestFinished } from 'vitest'

import { isWaitOf } from '../../../tools/is-wait-of.ts'
import { examplesOf } from '../../../tools/example.ts'
import { startWorker } from '../../../tools/workerd.ts'

const page = await readFile(new URL('../../../docs/workers.md', import.meta.url), 'utf8')
const folder = await mkdtemp(fileURLToPath(new URL('.page-', import.meta.url)))
afterAll(() => rm(folder, { recursive: true }))
const examples = examplesOf(page)

it('docs/workers.md has two Workers', () => expect(examples).toHaveLength(2))

it.each(examples.map((code, i) => [i, code] as const))('Worker %i limits addresses', async (i, code) => {
  const path = `${folder}/worker${i}.ts`
  await writeFile(path, code)
  const worker = await startWorker(pathToFileURL(path), {
    durableObjects: { HALT: { className: 'HaltCounters', useSQLite: true } },
  })
  onTestFinished(() => worker.close())
  const ask = (ip: string): Promise<Response> => worker.fetch('/', { headers: { 'CF-Connecting-IP': ip } })
  expect(await (await ask('203.0.113.7')).json()).toEqual({ left: 1 })
  expect((await ask('203.0.113.7')).status).toBe(200)
  const refused = await ask('203.0.113.7')
  expect([refused.status, isWaitOf(30, refused.headers.get('retry-after'))]).toEqual([429, true])
  expect((await ask('203.0.113.8')).status).toBe(200)
  expect(worker.printed).toBe('')
})
