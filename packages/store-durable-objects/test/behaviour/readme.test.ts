import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'

import { isWaitOf } from '../../../../tools/is-wait-of.ts'
import { examplesOf } from '../../../../tools/example.ts'
import { startWorker } from '../../../../tools/workerd.ts'

it('the Worker of the README limits addresses', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  const folder = await mkdtemp(fileURLToPath(new URL('.readme-', import.meta.url)))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(`${folder}/worker.ts`, examplesOf(readme)[0] ?? '')
  const worker = await startWorker(pathToFileURL(`${folder}/worker.ts`), {
    durableObjects: { HALT: { className: 'HaltCounters', useSQLite: true } },
  })
  onTestFinished(() => worker.close())
  const ask = (ip: string): Promise<Response> => worker.fetch('/', { headers: { 'CF-Connecting-IP': ip } })
  expect(await (await ask('203.0.113.7')).json()).toEqual({ remaining: 1 })
  expect((await ask('203.0.113.7')).status).toBe(200)
  const refused = await ask('203.0.113.7')
  expect([refused.status, isWaitOf(30, refused.headers.get('retry-after'))]).toEqual([429, true])
  expect((await ask('203.0.113.8')).status).toBe(200)
})
