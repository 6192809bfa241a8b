export { evaluateAcross } from './evaluate-across.ts'
export { LOOK_RULE } from './look-rule.ts'
export { placesOf, type PlaceOf, type Send } from './part.ts'
