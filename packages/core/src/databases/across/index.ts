export { evaluateAcross } from './evaluate-across.ts'
export { nodesOf, type NodeOf, type Send } from './part.ts'
