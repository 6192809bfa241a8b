export { evaluateAcross } from './evaluate-across.ts'
export { placesOf, type PlaceOf, type Send } from './part.ts'
