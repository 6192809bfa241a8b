// The maps of a package: one for both formats, and small. A place in a map is a line, not a column.
// Those of core take 57 kB. The bundler's own maps would take 741 kB, which is more than the code.
import { dirname, relative, resolve, sep } from 'node:path'

import { decode, encode } from '@jridgewell/sourcemap-codec'

/**
 * Where a line of a built file comes from; undefined for a line in which nothing happens.
 * @typedef {{ source: string, line: number } | undefined} Place
 */

/**
 * The places of the lines of a file that was bundled and then printed anew.
 *
 * @param {{ mappings: string, sources: string[] }} bundled the map of the bundle
 * @param {{ mappings: string }} printed the map from the printed file to the bundle
 * @param {string} code the printed file
 * @param {(source: string) => string} nameOf the name of a source in the package
 * @returns {Place[]}
 */
export function placesOf(bundled, printed, code, nameOf) {
  const inBundle = decode(bundled.mappings)
  const inPrint = decode(printed.mappings)
  return code.split('\n').map((text, i) => {
    // Nothing happens in a line of closing brackets.
    if (/^[\s)}\];,]*$/.test(text)) return undefined
    const [, , line = -1, column = 0] = inPrint[i]?.find(isPlace) ?? []
    const place = inBundle[line]?.findLast(segment => isPlace(segment) && segment[0] <= column)
    return place === undefined
      ? undefined
      : { source: nameOf(bundled.sources[Number(place[1])] ?? ''), line: Number(place[2]) }
  })
}

/** @param {import('@jridgewell/sourcemap-codec').SourceMapSegment} segment */
function isPlace(segment) {
  return segment.length > 1
}

/** The name of a source in its package. @param {string} root the package's folder @param {string} file a built file */
export function sourceNames(root, file) {
  const folder = dirname(resolve(root, file))
  return (/** @type {string} */ source) => relative(root, resolve(folder, source)).split(sep).join('/')
}

/**
 * Writes a map: one place per line, and each source by its address in the repository.
 *
 * @param {string} file @param {Place[]} places
 * @param {{ address: string, texts: Record<string, string> | undefined }} settings the address of the package's folder, and the texts
 *   of the sources if the map holds them
 */
export function smallMap(file, places, { address, texts }) {
  const sources = [...new Set(places.flatMap(place => place?.source ?? []))]
  const mappings = places.map(place =>
    place === undefined
      ? []
      : [/** @type {[number, number, number, number]} */ ([0, sources.indexOf(place.source), place.line, 0])],
  )
  const sourcesContent = texts && sources.map(source => texts[source])
  return JSON.stringify({
    version: 3,
    file,
    sourceRoot: address,
    sources,
    ...(sourcesContent && { sourcesContent }),
    names: [],
    mappings: encode(mappings),
  })
}

/**
 * Lets a CommonJS file use the map of the ES module of the same sources, because both have the same lines between imports and
 * exports. The imports are made as many lines as those of the ES module. Undefined if the lines differ.
 *
 * @param {{ code: string, places: Place[] }} commonJs @param {Place[]} esModule
 */
export function alignedTo({ code, places }, esModule) {
  const [own, wanted] = [places.findIndex(Boolean), esModule.findIndex(Boolean)]
  if (own < 0 || wanted < 0) return own === wanted ? code : undefined
  const lines = code.trimEnd().split('\n')
  const head = lines.slice(0, own).join('')
  const text =
    wanted === 0
      ? [head + lines[own], ...lines.slice(own + 1)]
      : [head, ...Array(wanted - 1).fill(''), ...lines.slice(own)]
  const isSame = places.slice(own).every((place, i) => {
    const twin = esModule[wanted + i]
    return place === undefined || twin === undefined || place.source === twin.source
  })
  return isSame ? `${text.join('\n')}\n` : undefined
}
