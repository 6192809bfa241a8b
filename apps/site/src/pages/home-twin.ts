import { SITE } from './repository.ts'

/**
 * The front page as plain Markdown. VitePress draws a part of it from the YAML at its head, where each value has a line. The links of
 * the rest stay as they are.
 */
export function homeTwin(text: string): string {
  const [, head = '', body = ''] = text.split(/^---$/m)
  const [hero = '', features = ''] = head.split(/^features:$/m)
  const [about = '', actions = ''] = hero.split(/^ {2}actions:$/m)
  const links = itemsOf(actions).map(item => linkTo(valueIn(item, 'text'), item))
  const lines = itemsOf(features).map(
    item =>
      `- **${valueIn(item, 'title')}**: ${valueIn(item, 'details')} ${linkTo(valueIn(item, 'linkText'), item)}`,
  )
  return [
    `# ${valueIn(about, 'name')}`,
    `${valueIn(about, 'text')}. ${valueIn(about, 'tagline')}`,
    links.join(' · '),
    plain(body),
    `${lines.join('\n')}\n`,
  ].join('\n\n')
}

function itemsOf(list: string): string[] {
  return list.split(/^ +- /m).slice(1)
}

function linkTo(label: string, item: string): string {
  const [route = '', anchor] = valueIn(item, 'link').slice(1).split('#')
  return `[${label}](${SITE}/${route.replace(/\/$/, '/index')}.md${anchor === undefined ? '' : `#${anchor}`})`
}

function valueIn(block: string, name: string): string {
  const found = new RegExp(`^ *${name}: (.+)$`, 'm').exec(block)
  if (found?.[1] === undefined) throw new Error(`The front page lacks "${name}".`)
  return found[1]
}

/** The Markdown between the components and elements of the page. */
function plain(body: string): string {
  return body
    .replaceAll(/<dt>(.*?)<\/dt><dd>(.*?)<\/dd>/g, '- **$1** $2')
    .replaceAll(/<picture>[\s\S]*?<\/picture>|<\/?[A-Za-z][^>]*>/g, '')
    .replaceAll(/^ +/gm, '')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim()
}
