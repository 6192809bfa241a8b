import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'

import { faultsOf } from '../../../../tools/check-workflows.mjs'

const folder = mkdtempSync(join(tmpdir(), 'halt-workflows-'))
afterAll(() => rmSync(folder, { recursive: true }))

const DIGEST = 'actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0'

/** The faults of a workflow with one step. */
async function faultsWith(step: string, permissions = 'permissions:\n  contents: read\n'): Promise<string[]> {
  const source = `on: push\n${permissions}jobs:\n  one:\n    runs-on: ubuntu-latest\n    steps:\n      - ${step}\n`
  writeFileSync(join(folder, 'one.yml'), source)
  return faultsOf(pathToFileURL(`${folder}/`))
}

describe('the check of workflows', () => {
  it('the workflows of this repository have no fault', async () => {
    expect(await faultsOf(new URL('../../../../.github/workflows/', import.meta.url))).toEqual([])
  })

  it('a pinned action and stated permissions are no fault', async () => {
    expect(await faultsWith(`uses: ${DIGEST}`)).toEqual([])
  })

  it.each([
    ['a tag in place of a digest', 'uses: actions/checkout@v5', 'is not pinned'],
    ['a digest without its version', `uses: ${DIGEST.replace(/ #.*/, '')}`, 'is not pinned'],
    ['a stored secret', 'run: echo "${{ secrets.NPM_TOKEN }}"', 'a stored secret'],
    ['an expression that GitHub does not know', 'run: echo "${{ nothing.there }}"', 'undefined variable'],
  ])('%s is a fault', async (_, step, message) => {
    expect((await faultsWith(step)).join('\n')).toContain(message)
  })

  it('a workflow without permissions is a fault', async () => {
    expect(await faultsWith(`uses: ${DIGEST}`, '')).toEqual([
      '.github/workflows/one.yml:1 the workflow states no permissions',
    ])
  })
})
