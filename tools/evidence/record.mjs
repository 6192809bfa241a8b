// Loaded before the sources by tests of a copy with marks (marks.mjs). Writes which marks each test file has reached.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'

/** @type {Set<number>} */
const reached = new Set()
let loading = 0

/** @param {string} folder where the answers go; one file for each file of tests */
export function record(folder) {
  reached.clear()
  afterAll(() => {
    const { testPath = '' } = expect.getState()
    const answer = { testPath, reached: [...reached] }
    writeFileSync(join(folder, `${testPath.replaceAll(/[^\w.]/g, '_')}.json`), JSON.stringify(answer))
  })
}

Object.assign(globalThis, {
  /** Of the files that share a process, only the first sees what runs while a module is loaded. @param {number} mark */
  haltMark: mark => {
    if (loading === 0) reached.add(mark)
  },
  /** @param {number} step */
  haltLoads: step => void (loading += step),
})
