// Finds a Chromium or Chrome for the tests of the operator's page.
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome.exe']
const elsewhere = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

/**
 * The path of a Chromium or Chrome: `CHROMIUM_PATH`, else the one on PATH or in /Applications, else undefined.
 * @returns {string | undefined}
 */
export function findBrowser() {
  const given = process.env['CHROMIUM_PATH']
  if (given) return given
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(folder => folder !== '')
  const paths = folders.flatMap(folder => names.map(name => join(folder, name)))
  return [...paths, ...elsewhere].find(path => existsSync(path))
}
