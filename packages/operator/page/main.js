// @ts-check
import { openAct, setPolicies } from './act-form.js'
import { byId, text } from './dom.js'
import { showNow } from './now.js'
import { ask, sentenceOf } from './server.js'
import { showStanding } from './standing.js'
import { openView } from './views.js'
import { count } from './words.js'
import './find.js'

/** @typedef {import('../src/desk/desk.ts').About} About */
/** @typedef {import('../src/desk/held.ts').Standing} Standing */
/** @typedef {import('../src/watch/feed.ts').Feed} Feed */

const EVERY_MS = 2_000
/** How many beats pass between two looks at what holds. */
const STANDING_EVERY = 5

/** Whether the last look found an outage, or entries that one process has alone. */
let isApart = false

async function refreshNow() {
  try {
    /** @type {Feed} */
    const feed = await ask('feed')
    showNow(feed)
    isApart = feed.problem !== undefined || feed.alone > 0
    problem(isApart ? outageIn(feed) : undefined)
  } catch (error) {
    text('state', 'No answer').className = 'pill bad'
    problem(sentenceOf(error))
  }
}

async function refreshStanding() {
  try {
    /** @type {Standing} */
    const standing = await ask('standing')
    showStanding(standing)
  } catch {
    // The next look at the numbers tells what is wrong.
  }
}

/** What does not hold in all processes now. @param {Feed} feed */
function outageIn({ problem: error, alone }) {
  const numbers = error ? `${error.message} These are the numbers of one process alone. ` : ''
  if (alone === 0) return numbers
  return `${numbers}${count(alone, 'entry holds', 'entries hold')} in this process alone, until the store answers.`
}

/** @param {string | undefined} says */
function problem(says) {
  text('problem', says ?? '').hidden = says === undefined
}

// One call at a time, and only while the page is visible.
async function watch(beat = 0) {
  if (!document.hidden) {
    // What holds in one process alone changes when the store is back.
    const wasApart = isApart
    await refreshNow()
    if (wasApart || isApart || beat % STANDING_EVERY === 0) await refreshStanding()
  }
  setTimeout(() => void watch(beat + 1), EVERY_MS)
}

async function start() {
  try {
    /** @type {About} */
    const { name, reveals, policies } = await ask('about')
    text('operator', `${name}${reveals ? ', sees keys in clear' : ''}`)
    setPolicies(policies)
  } catch (error) {
    problem(sentenceOf(error))
  }
  await watch()
}

for (const one of document.querySelectorAll('[data-act]'))
  one.addEventListener('click', () => openAct({ act: one.getAttribute('data-act') ?? '' }))
byId('act').addEventListener('done', () => void refreshStanding())
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) void refreshNow()
})
openView()
void start()
