import { TrexError } from '../errors.js'

/** How a file of another kind becomes one that can be read. */
export const CONVERT_HINT =
  "Convert it with PyTorch: torch.save(torch.load(PATH, map_location='cpu'), 'converted.pth') keeps plain tensors; " +
  'of a whole module save its state_dict().'

/** What is wrong with a file of weights; names the file. */
export class CheckpointError extends TrexError {
  constructor(file: string, what: string, options: { hint?: string; cause?: unknown } = {}) {
    super(`${file}: ${what}`, options)
  }
}
