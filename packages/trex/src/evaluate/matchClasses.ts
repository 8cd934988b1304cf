import { TrexError } from '../errors.js'

/**
 * The place among a run's classes of each class of the data, matched by name: the data may have fewer, in any order.
 * @throws TrexError that names the classes that the run has not seen.
 */
export function matchClasses(ofData: readonly string[], ofRun: readonly string[]): number[] {
  const places = new Map(ofRun.map((name, place) => [name, place]))
  const unknown = ofData.filter((name) => !places.has(name))
  if (unknown.length === 0) return ofData.map((name) => places.get(name)!)
  const shown = unknown.slice(0, 5).join(', ')
  const more = unknown.length > 5 ? ` and ${unknown.length - 5} more` : ''
  const classes = unknown.length === 1 ? 'a class' : 'classes'
  throw new TrexError(`${shown}${more}: ${classes} that the run was not trained on`, {
    hint: `its ${ofRun.length} classes are ${ofRun.slice(0, 5).join(', ')}${ofRun.length > 5 ? ', ...' : ''}; --features-only evaluates the features alone, by nearest class means and neighbours`,
  })
}
