import { loadEncoder, nearest, TrexError, type WebEncoder } from 'trex/web'

// The whole program: a model is chosen, pictures are embedded, a click sorts them by their nearness to one.

interface Picture {
  readonly name: string
  readonly url: string
  /** [D] */
  readonly features: Float32Array
}

const element = <T extends HTMLElement>(id: string) => document.getElementById(id) as T
const [modelInput, pictureInput] = [element<HTMLInputElement>('model'), element<HTMLInputElement>('pictures')]
const [status, grid] = [element<HTMLOutputElement>('status'), element('grid')]

let encoder: WebEncoder | undefined
let pictures: Picture[] = []

async function openModel(file: File | string) {
  status.value = 'Loading the model …'
  const onProgress = (loaded: number, total: number | null) => {
    status.value = `Loading the model: ${(loaded / 1e6).toFixed(1)} ${total ? `of ${(total / 1e6).toFixed(1)} ` : ''}MB`
  }
  const opened = await loadEncoder(file, { onProgress })
  await encoder?.dispose()
  encoder = opened
  pictures = []
  show(pictures)
  pictureInput.disabled = false
  const { featureDim, preprocess } = encoder.description
  status.value = `${featureDim} features of ${preprocess.crop} px on ${encoder.engine}. Drop pictures here.`
}

async function addPictures(files: readonly File[]) {
  if (!encoder) throw new TrexError('First choose a model.')
  const started = performance.now()
  for (const [i, file] of files.entries()) {
    status.value = `Looking at ${i + 1} of ${files.length} pictures …`
    const { features } = await encoder.embed(file)
    pictures.push({ name: file.name, url: URL.createObjectURL(file), features })
    show(pictures)
  }
  const each = (performance.now() - started) / files.length
  status.value = `${pictures.length} pictures, ${each.toFixed(0)} ms each on ${encoder.device}. Click on one to see which are nearest.`
}

/** Sorts the pictures by the cosine of their features and those of `query`. */
function sortBy(query: Picture) {
  const width = query.features.length
  const all = new Float32Array(pictures.length * width)
  for (const [row, { features }] of pictures.entries()) all.set(features, row * width)
  const rows = { features: all, shape: [pictures.length, width] as const }
  const { indices, scores } = nearest(query.features, rows, pictures.length)
  show(
    [...indices].map((index) => pictures[index]!),
    scores,
  )
}

function show(shown: readonly Picture[], scores?: Float32Array) {
  grid.replaceChildren(
    ...shown.map((picture, rank) => {
      const card = document.createElement('button')
      card.type = 'button'
      card.title = picture.name
      if (scores && rank === 0) card.classList.add('query')
      card.append(Object.assign(new Image(), { src: picture.url, alt: picture.name }))
      if (scores)
        card.append(Object.assign(document.createElement('span'), { textContent: scores[rank]!.toFixed(3) }))
      card.addEventListener('click', () => sortBy(picture))
      return card
    }),
  )
}

/** Runs one thing after the other; what goes wrong is shown. */
let work = Promise.resolve()
function enqueue(task: () => Promise<void>) {
  work = work.then(task).catch((error) => {
    const hint = error instanceof TrexError && error.hint ? ` (${error.hint})` : ''
    status.value = `${error.message}${hint}`
  })
}

function take(files: readonly File[]) {
  const model = files.find(({ name }) => /\.(onnx|safetensors|pth|pt|npz)$/.test(name))
  const rest = files.filter((file) => file !== model)
  if (model) enqueue(() => openModel(model))
  if (rest.length > 0) enqueue(() => addPictures(rest))
}

for (const input of [modelInput, pictureInput])
  input.addEventListener('change', () => {
    take([...(input.files ?? [])])
    input.value = ''
  })
document.addEventListener('dragover', (event) => event.preventDefault())
document.addEventListener('drop', (event) => {
  event.preventDefault()
  take([...(event.dataTransfer?.files ?? [])])
})
const address = new URLSearchParams(location.search).get('model')
if (address) enqueue(() => openModel(address))
