import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

it('schema.sql and the text of schema() are those of the files in sql/', () => {
  const printer = fileURLToPath(new URL('../../../tools/print-sql.mjs', import.meta.url))
  expect(spawnSync(process.execPath, [printer, '--check'], { encoding: 'utf8' })).toMatchObject({ status: 0 })
})
