import { h, type VNode } from 'vue'

/** A labelled input of a number. `set` gets each number that was entered. */
export function numberField(
  label: string,
  value: number,
  set: (value: number) => void,
  more: object = {},
): VNode {
  return labelled(label, 'input', { type: 'number', min: 1, step: 1, value, ...more }, text =>
    set(Number(text)),
  )
}

/** A labelled input of an optional number. */
export function optionalNumber(
  label: string,
  value: number | undefined,
  set: (value: number | undefined) => void,
): VNode {
  const more = { type: 'number', min: 1, step: 1, value: value ?? '', placeholder: 'none' }
  return labelled(label, 'input', more, text => set(text === '' ? undefined : Number(text)))
}

/** A labelled input of a text. */
export function textField(
  label: string,
  value: string,
  set: (value: string) => void,
  more: object = {},
): VNode {
  return labelled(
    label,
    'input',
    { type: 'text', value, spellcheck: false, autocomplete: 'off', ...more },
    set,
  )
}

/** A labelled choice. `options` are texts by value. */
export function choice<T extends string>(
  label: string,
  value: T,
  options: Readonly<Record<T, string>>,
  set: (value: T) => void,
): VNode {
  const all = Object.entries<string>(options).map(([name, text]) =>
    h('option', { value: name, selected: name === value }, text),
  )
  return h('label', [h('span', label), h('select', { onChange: read(text => set(text as T)) }, all)])
}

function labelled(label: string, tag: string, attributes: object, set: (text: string) => void): VNode {
  return h('label', [h('span', label), h(tag, { ...attributes, onChange: read(set) })])
}

/** Calls a function with the text of the field that has changed. */
export function read(set: (text: string) => void): (event: Event) => void {
  return event => set((event.target as HTMLInputElement).value)
}
