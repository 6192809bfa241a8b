import { comparison, PEERS } from './compare.ts'
import { readSource } from './repository.ts'
import { ROUTES } from './routes.ts'

/** A page as Markdown, with links as in the repository. */
export interface SourcePage {
  readonly route: string
  /** The file by whose folder its links are read. */
  readonly from: string
  readonly text: string
}

const HOME = 'apps/site/home.md'

/** All pages but those of the API reference, which typedoc writes. */
export function sourcePages(): readonly SourcePage[] {
  return [
    { route: 'index', from: HOME, text: readSource(HOME) },
    ...[...ROUTES].map(([from, route]) => ({ route, from, text: readSource(from) })),
    ...PEERS.map(peer => ({
      route: `compare/${peer.guide}`,
      from: 'docs/compare/page.md',
      text: comparison(peer),
    })),
  ]
}

/** The title of a page: its first heading. */
export function titleOf({ text, route }: SourcePage): string {
  return /^# (.+)$/m.exec(text)?.[1]?.replaceAll('`', '') ?? route
}
