import { defineComponent, h, nextTick, onMounted, ref, shallowRef, type VNode, watch } from 'vue'

import { type Answer, AnswerFinder, type Kind } from './answers.ts'
import { type Excerpt, excerptOf } from './excerpt.ts'
import { type Export, exportsNamed, mayBeExport } from './exports.ts'
import { SearchFiles } from './files.ts'

/** A line of the list: a page, or an export. */
interface Line {
  readonly group: string
  readonly address: string
  readonly title: string
  readonly about: string
  /** Undefined until it is loaded, and for lines without one. */
  readonly excerpt: Excerpt | undefined
}

/** What the box shows below the question. */
type Shown =
  | { readonly kind: 'nothing asked' | 'loading' | 'failed' | 'no answer' }
  | {
      readonly kind: 'answers'
      readonly isNear: boolean
      readonly lines: readonly Line[]
      /** The excerpts and the exports are there. */
      readonly isWhole: boolean
    }

/** A pause in typing, in milliseconds, after which excerpts are loaded. Without it, each letter would load those of other pages. */
const PAUSE = 200

const GROUPS: Readonly<Record<Kind, string>> = {
  guide: 'Guides',
  background: 'Comparisons and measurements',
  error: 'Errors and warnings',
}
const ASK: readonly string[] = ['block an ip', 'redis down', 'login brute force', 'monthly quota']

/** The dialog of the search. `addressOf` gives the address of a path of the site. It closes by Escape, as every dialog. */
export const SearchBox = defineComponent({
  name: 'SearchBox',
  props: { addressOf: { type: Function, required: true } },
  emits: ['close', 'go'],
  setup(props, { emit }) {
    const addressOf = props.addressOf as (path: string) => string
    const files = new SearchFiles(addressOf)
    const dialog = ref<HTMLDialogElement>()
    const question = ref('')
    const shown = shallowRef<Shown>({ kind: 'nothing asked' })
    const selected = ref(0)
    let finder: AnswerFinder | undefined

    async function ask(asked: string): Promise<void> {
      selected.value = 0
      if (asked.trim() === '') return void (shown.value = { kind: 'nothing asked' })
      const isLatest = (): boolean => asked === question.value
      if (finder === undefined) shown.value = { kind: 'loading' }
      try {
        finder ??= new AnswerFinder(await files.index())
        if (!isLatest()) return
        const { list, isNear } = finder.find(asked)
        const first = list.map(lineOf)
        shown.value =
          first.length > 0 ? { kind: 'answers', isNear, lines: first, isWhole: false } : { kind: 'no answer' }
        await new Promise(resolve => setTimeout(resolve, PAUSE))
        if (!isLatest()) return
        const exports = mayBeExport(asked) ? await exportsOf(asked, files) : []
        const pages = await Promise.all(list.map(answer => withExcerpt(answer, files)))
        const lines = [...pages, ...exports.map(exportLine)]
        if (!isLatest() || lines.length === 0) return
        shown.value = { kind: 'answers', isNear, lines, isWhole: true }
      } catch {
        if (isLatest()) shown.value = { kind: 'failed' }
      }
    }
    watch(question, ask)

    function onKey(event: KeyboardEvent): void {
      if (shown.value.kind !== 'answers' || event.isComposing) return
      const { lines } = shown.value
      if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
        event.preventDefault()
        const step = event.key === 'ArrowDown' ? 1 : -1
        selected.value = (selected.value + step + lines.length) % lines.length
        void nextTick(() =>
          dialog.value?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' }),
        )
      } else if (event.key === 'Enter') {
        event.preventDefault()
        const line = lines[selected.value]
        if (line !== undefined) emit('go', hrefOf(line))
      }
    }

    const hrefOf = (line: Line): string => {
      const anchor = line.excerpt?.anchor ?? ''
      return addressOf(line.address + (anchor === '' ? '' : `#${anchor}`))
    }

    onMounted(() => {
      dialog.value?.showModal()
      // The index comes while the reader types.
      files.index().catch(() => {})
    })

    const field = (): VNode =>
      h('input', {
        id: 'search-question',
        type: 'search',
        role: 'combobox',
        autofocus: true,
        autocomplete: 'off',
        autocapitalize: 'off',
        spellcheck: false,
        maxlength: 80,
        enterkeyhint: 'go',
        placeholder: 'Ask in your words',
        'aria-label': 'Search the documentation',
        'aria-autocomplete': 'list',
        'aria-expanded': shown.value.kind === 'answers',
        'aria-controls': 'search-answers',
        'aria-activedescendant':
          shown.value.kind === 'answers' ? `search-answer-${selected.value}` : undefined,
        value: question.value,
        onInput: (event: Event) => (question.value = (event.target as HTMLInputElement).value),
        onKeydown: onKey,
      })

    const lineView = (line: Line, i: number): VNode =>
      h(
        'a',
        {
          key: line.address,
          id: `search-answer-${i}`,
          role: 'option',
          tabindex: -1,
          'aria-selected': i === selected.value,
          class: { answer: true, selected: i === selected.value },
          href: hrefOf(line),
          onClick: (event: MouseEvent) => {
            if (event.metaKey || event.ctrlKey || event.shiftKey) return
            event.preventDefault()
            emit('go', hrefOf(line))
          },
          onMousemove: () => (selected.value = i),
        },
        [
          h('span', { class: 'answer-title' }, [
            line.title,
            placeOf(line) === '' ? undefined : h('span', { class: 'answer-place' }, ` › ${placeOf(line)}`),
          ]),
          h('span', { class: 'answer-text' }, textOf(line)),
        ],
      )

    const list = (lines: readonly Line[], isWhole: boolean): VNode => {
      const groups = [...new Set(lines.map(({ group }) => group))]
      return h(
        'div',
        {
          id: 'search-answers',
          role: 'listbox',
          'aria-label': 'Answers',
          'aria-busy': !isWhole,
          class: 'answers',
        },
        groups.map(group =>
          h('div', { role: 'group', 'aria-label': group, key: group }, [
            h('p', { class: 'answer-group', 'aria-hidden': true }, group),
            ...lines.flatMap((line, i) => (line.group === group ? [lineView(line, i)] : [])),
          ]),
        ),
      )
    }

    return () =>
      h(
        'dialog',
        {
          ref: dialog,
          class: 'search-box',
          'aria-label': 'Search',
          onClose: () => emit('close'),
          // A press on the backdrop is one on the dialog itself.
          onClick: (event: MouseEvent) => event.target === dialog.value && dialog.value?.close(),
        },
        h('div', { class: 'search-inside' }, [
          h('div', { class: 'search-line' }, [
            field(),
            h(
              'button',
              { type: 'button', class: 'search-close', onClick: () => dialog.value?.close() },
              'Close',
            ),
          ]),
          h('div', { role: 'status', class: 'search-status' }, statusOf(shown.value)),
          shown.value.kind === 'answers' ? list(shown.value.lines, shown.value.isWhole) : undefined,
          suggestions(shown.value, text => (question.value = text), addressOf),
        ]),
      )
  },
})

function lineOf({ kind, address, title, about }: Answer): Line {
  return {
    group: GROUPS[kind],
    address: address.replace(/(^|\/)index$/, '$1'),
    title,
    about,
    excerpt: undefined,
  }
}

async function withExcerpt(answer: Answer, files: SearchFiles): Promise<Line> {
  const plain = lineOf(answer)
  if (answer.kind !== 'guide') return plain
  // An answer without its excerpt is still an answer.
  const sections = await files.sections(answer.address).catch(() => undefined)
  return sections === undefined ? plain : { ...plain, excerpt: excerptOf(sections, answer.terms) }
}

async function exportsOf(asked: string, files: SearchFiles): Promise<readonly Export[]> {
  // Without the exports, the pages are still answers.
  return exportsNamed(await files.exports().catch(() => []), asked)
}

function exportLine([name, module, anchor]: Export): Line {
  const address = `api/${module}#${anchor}`
  return { group: 'API reference', address, title: name, about: `An export of ${module}`, excerpt: undefined }
}

/** The section of the page, if it has another name than the page. */
function placeOf({ excerpt, title }: Line): string {
  return excerpt === undefined || excerpt.anchor === '' || excerpt.heading === title ? '' : excerpt.heading
}

function textOf({ excerpt, about }: Line): string | (string | VNode)[] {
  // The start of a page says less than its first sentence, which `about` has whole.
  const isStart = excerpt?.anchor === '' && !excerpt.parts.some(({ isFound }) => isFound)
  if (excerpt === undefined || isStart) return about
  return excerpt.parts.map(({ text, isFound }) => (isFound ? h('mark', text) : text))
}

function statusOf(shown: Shown): string {
  switch (shown.kind) {
    case 'nothing asked':
      return ''
    case 'loading':
      return 'Loading the index …'
    case 'failed':
      return 'The search could not be loaded. Type again to try once more.'
    case 'no answer':
      return 'No page answers this.'
    case 'answers':
      return shown.isNear
        ? 'No page has exactly these words. These come near:'
        : `${shown.lines.length} answers`
  }
}

/** What to ask, where there is no answer yet. */
function suggestions(
  shown: Shown,
  ask: (text: string) => void,
  addressOf: (path: string) => string,
): VNode | undefined {
  if (shown.kind !== 'nothing asked' && shown.kind !== 'no answer') return undefined
  const link = (path: string, text: string): VNode => h('a', { href: addressOf(path) }, text)
  return h('div', { class: 'search-help' }, [
    h('p', [
      shown.kind === 'no answer' ? 'Try fewer or plainer words, such as ' : 'For example ',
      ...ASK.flatMap((text, i) => [
        i === 0 ? '' : ', ',
        h('button', { type: 'button', onClick: () => ask(text) }, text),
      ]),
      '. The code of an error leads to its page.',
    ]),
    h('p', [
      link('contents', 'All pages'),
      ' · ',
      link('troubleshooting', 'Troubleshooting'),
      ' · ',
      link('errors/', 'Errors'),
    ]),
  ])
}
