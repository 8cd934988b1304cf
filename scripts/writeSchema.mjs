// Writes packages/trex/settings.schema.json, the JSON Schema of the settings: `npm run schema` after a change of them.
import { writeFileSync } from 'node:fs'
import { settingsSchemaText } from '../packages/trex/dist/settingsSchema.js'

writeFileSync(new URL('../packages/trex/settings.schema.json', import.meta.url), settingsSchemaText())
