/** Image sets that a linear probe is fitted and scored on: ROOT/train and ROOT/test (or val) of class folders. */
import { join } from 'node:path'
import { readImageFolder } from '../../packages/trex/dist/data/index.js'
import { scoredPart } from './linkParts.mjs'

/**
 * @typedef {import('../../packages/trex/dist/data/index.js').Sample} Sample
 * @typedef {{ name: string, classes: number, classNames: readonly string[], train: Sample[], test: Sample[] }} ProbeSet
 */

/**
 * Reads `NAME=ROOT`, of which as many images of each class are taken, evenly over the sorted names, as make a part of at most `most`.
 * @param {string} spec
 * @param {{ most: number, classes?: readonly string[] }} options classes: those to take (default: all)
 * @returns {Promise<ProbeSet>}
 */
export async function readProbeSet(spec, { most, classes }) {
  const [name, root] = splitSpec(spec)
  const train = await readImageFolder(join(root, 'train'))
  const test = await readImageFolder(join(root, scoredPart(root)))
  if (train.classes.join() !== test.classes.join())
    throw new Error(`${root}: train and test differ in classes`)
  const wanted = classes ?? train.classes
  const labels = new Map(wanted.map((name, label) => [train.classes.indexOf(name), label]))
  if (labels.has(-1)) throw new Error(`${root} lacks classes that were asked for`)
  const cap = Math.max(1, Math.floor(most / wanted.length))
  const pick = (/** @type {Sample[]} */ samples) => takeEvenly(samples, cap, labels)
  return {
    name,
    classes: wanted.length,
    classNames: wanted,
    train: pick(train.samples),
    test: pick(test.samples),
  }
}

/** @param {string} spec */
export function splitSpec(spec) {
  const at = spec.indexOf('=')
  if (at < 1) throw new Error(`${spec}: expected NAME=FOLDER`)
  return [spec.slice(0, at), spec.slice(at + 1)]
}

/**
 * At most `cap` images of each class in `labels` (old class number to new), spread evenly over its list.
 * @param {Sample[]} samples
 * @param {number} cap
 * @param {Map<number, number>} labels
 */
function takeEvenly(samples, cap, labels) {
  return [...labels].flatMap(([old, label]) => {
    const all = samples.filter((sample) => sample.label === old)
    const count = Math.min(cap, all.length)
    return Array.from({ length: count }, (_, i) => ({ ...all[Math.floor((i * all.length) / count)], label }))
  })
}
