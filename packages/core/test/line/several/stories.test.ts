// Random histories of callers that wait under several policies of different speed, judged by a book that shares no code with Halt.
import { afterAll, it } from 'vitest'

import { inVirtualTime } from '../rows.ts'
import { changingClasses, type Class, steadyClasses } from './setups.ts'
import { chosen, hasOperators, playStories, printSurvey } from './stories.ts'

inVirtualTime()
afterAll(printSurvey)

/** Whether a class is what these tests are about, and not what they are compared with. */
const isOfSeveralBuckets = ({ name }: Class): boolean => /two|shared|budget/.test(name)

for (const kind of chosen(steadyClasses()))
  it(`callers of ${kind.name} start when the book says, and nothing is charged for nobody`, () =>
    playStories(kind, isOfSeveralBuckets(kind) ? 3 : 1))

for (const kind of chosen(changingClasses()).filter(each => !hasOperators(each)))
  it(`callers of several policies go on within every bound while ${kind.name}`, () => playStories(kind, 1))
