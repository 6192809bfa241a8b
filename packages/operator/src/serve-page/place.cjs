'use strict'

exports.place = require('node:url').pathToFileURL(__filename).href
