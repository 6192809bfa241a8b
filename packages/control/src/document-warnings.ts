import {
  HaltError,
  type HaltWarning,
  Occasion,
  placeInWords,
  type Store,
  type WarnOnce,
} from '@halt/core/gate'

const UNREADABLE_FIX =
  'Let all processes run one version of Halt, or empty the document "control" of the store and act again.'

/** The warning of a document that cannot be used. @param why in words */
function documentUnreadable(why: string): HaltWarning {
  return {
    code: 'HALT_W_CONTROL',
    message: `The control document cannot be read: ${why.replace(/\.$/, '')}. The last good one holds.`,
    fix: UNREADABLE_FIX,
  }
}

/** The error of an act upon such a document. */
export function unreadableDocument(why: string): HaltError {
  return new HaltError('HALT_E_CONTROL', `The control document cannot be read: ${why}.`, UNREADABLE_FIX)
}

/** The warning of a document that the store has lost, or the last writes of it. */
const DOCUMENT_LOST: HaltWarning = Object.freeze({
  code: 'HALT_W_CONTROL_LOST',
  message:
    'The store has lost the control document, or the last acts in it. They hold on in this process, and are written back.',
  fix: 'Find out why the store lost data: it was emptied, restarted without persistence, or replaced by an older copy.',
})

/** The warning of acts that the store did not take. @param why in words */
function actsHere(why: string): HaltWarning {
  return {
    code: 'HALT_W_CONTROL_LOCAL',
    message: `An operator's act holds in this process alone, because the store did not take it: ${why.replace(/\.$/, '')}.`,
    fix: 'It is written as soon as the store answers. If it must hold elsewhere before, act in each process.',
  }
}

/** The warning of counters that are not in the store of the document. @param own the store of the document */
export function controlElsewhere(store: Store, own: Store): HaltWarning {
  return {
    code: 'HALT_W_CONTROL_ELSEWHERE',
    message: `The counters are in ${placeInWords(store)}, and the Control is on another one: ${placeInWords(own)}. An operator who acts on the store of the counters, as by the command halt, changes nothing here.`,
    fix: 'Give both the same store: new Control({ store }), new RateLimiter({ store, policy, control }).',
  }
}

/** Warns of what becomes of the document, each event once. */
export class DocumentWarnings {
  readonly #warn: WarnOnce
  #problem: Occasion | undefined
  #outage: Occasion | undefined

  constructor(warn: WarnOnce) {
    this.#warn = warn
  }

  /** The store has lost writes. */
  lost(): void {
    this.#warn(DOCUMENT_LOST, new Occasion())
  }

  /** The document cannot be used. Told once until it can. */
  unreadable(why: string): void {
    this.#warn(documentUnreadable(why), (this.#problem ??= new Occasion()))
  }

  /** An act holds in this process alone. Told once until no act does. */
  actsHere(why: string): void {
    this.#warn(actsHere(why), (this.#outage ??= new Occasion()))
  }

  /** The document can be used. @param hasActsHere whether an act holds in this process alone */
  settled(hasActsHere: boolean): void {
    this.#problem = undefined
    if (!hasActsHere) this.#outage = undefined
  }
}
