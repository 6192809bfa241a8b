// Express 4 has no types of its own; what these tests use of it is what Express 5 has.
declare module 'express4' {
  import express from 'express'
  export default express
}
