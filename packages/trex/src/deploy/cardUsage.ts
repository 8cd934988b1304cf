import type { DeployedModel, Part } from './deployedModel.js'
import type { Format } from './exportModel.js'
import { fenced } from './markdown.js'

/** How to use an exported model in Python, Node and a browser: code that runs beside its files. */
export function usage(model: DeployedModel, format: Format, parts: readonly Part[]): string {
  const file = {
    safetensors: 'model.safetensors',
    torchvision: 'model.pth',
    onnx: 'model.onnx',
    timm: 'model.safetensors',
  }
  if (format === 'transformers.js') return transformersJs(model)
  const python = { safetensors, torchvision, onnx, timm }[format](model, parts)
  return [
    'Python:',
    fenced('python', python),
    'Node:',
    fenced(
      'js',
      `import { loadEncoder } from 'trex'

const encoder = await loadEncoder('${file[format]}')
const { features, shape } = await encoder.embed(['a.jpg', 'b.jpg']) // [2, ${model.description.featureDim}]`,
    ),
    'In a browser, `image` being an `ImageData` or `ImageBitmap`:',
    fenced(
      'js',
      `import { loadEncoder } from 'trex/web'

const encoder = await loadEncoder('${file[format]}')
const { features } = await encoder.embed(image)`,
    ),
  ].join('\n\n')
}

const isViT = ({ description }: DeployedModel) => description.vit !== undefined

/** torchvision's transform of an image to `x` [1, 3, S, S]. */
function pillow({ description }: DeployedModel): string {
  const { resize, crop, filter, mean, std } = description.preprocess
  return `from PIL import Image
from torchvision import transforms

transform = transforms.Compose([
    transforms.Resize(${resize}, transforms.InterpolationMode.${filter.toUpperCase()}),
    transforms.CenterCrop(${crop}),
    transforms.ToTensor(),
    transforms.Normalize(${JSON.stringify(mean)}, ${JSON.stringify(std)}),
])
x = transform(Image.open("a.jpg").convert("RGB"))[None]`
}

/** A model of torchvision or timm that takes the encoder's state dict. */
function builtModel(model: DeployedModel, parts: readonly Part[], names: 'torchvision' | 'timm'): string {
  const { weights, description, heads } = model
  const { encoder, vit, preprocess } = description
  const classes = parts.includes('classifier') ? heads.classifier!.weight.shape[0] : null
  if (vit && names === 'torchvision') {
    const { featureDim } = description
    const side = weights.kind.imageSize
    return `from torchvision.models import VisionTransformer

model = VisionTransformer(image_size=${side}, patch_size=${vit.patchSize}, num_layers=12, num_heads=${featureDim / 64},
                          hidden_dim=${featureDim}, mlp_dim=${4 * featureDim}${classes === null ? '' : `, num_classes=${classes}`})${classes === null ? '\nmodel.heads = torch.nn.Identity()' : ''}`
  }
  if (vit)
    return `import timm

model = timm.create_model("${encoder}_patch16_224", num_classes=${classes ?? 0}, img_size=${weights.kind.imageSize}, patch_size=${vit.patchSize}${vit.pooling === 'mean' ? ', global_pool="avg", fc_norm=False' : ''})`
  const small =
    description.stem === 'small'
      ? '\nmodel.conv1 = torch.nn.Conv2d(3, 64, 3, padding=1, bias=False)  # for small images\nmodel.maxpool = torch.nn.Identity()'
      : ''
  const last = classes === null ? '\nmodel.fc = torch.nn.Identity()' : ''
  return `from torchvision.models import ${encoder}

model = ${encoder}(${classes === null ? '' : `num_classes=${classes}`})${small}${last}  # images of ${preprocess.crop} px`
}

const compute = 'model.eval()\nwith torch.inference_mode():\n    y = model(x)'

function safetensors(model: DeployedModel, parts: readonly Part[]): string {
  const others = parts.filter((part) => part !== 'classifier').map((part) => `${part}.`)
  const state = others.length
    ? `{k: v for k, v in load_file("model.safetensors").items() if not k.startswith((${others.map((part) => `"${part}"`).join(', ')},))}`
    : 'load_file("model.safetensors")'
  return `import torch
from safetensors.torch import load_file
${pillow(model)}

${builtModel(model, parts, isViT(model) ? 'timm' : 'torchvision')}
model.load_state_dict(${state})
${compute}`
}

const torchvision = (model: DeployedModel, parts: readonly Part[]) => `import torch
${pillow(model)}

${builtModel(model, parts, 'torchvision')}
model.load_state_dict(torch.load("model.pth", weights_only=True))
${compute}`

const timm = (_: DeployedModel, parts: readonly Part[]) => `import timm, torch
from PIL import Image

model = timm.create_model("local-dir:.", pretrained=True${parts.includes('classifier') ? '' : ', num_classes=0'}).eval()  # or "hf-hub:USER/NAME"
transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model), is_training=False)
with torch.inference_mode():
    y = model(transform(Image.open("a.jpg").convert("RGB"))[None])`

const onnx = (model: DeployedModel) => `import onnxruntime
${pillow(model)}

session = onnxruntime.InferenceSession("model.onnx")
(features,) = session.run(["features"], {"pixel_values": x.numpy()})`

const transformersJs = ({ description }: DeployedModel) =>
  [
    'Node and browser:',
    fenced(
      'js',
      `import { env, pipeline } from '@huggingface/transformers'

env.localModelPath = '..' // the folder that this one is in; leave these two lines out for one on the hub
env.allowRemoteModels = false
const extract = await pipeline('image-feature-extraction', 'FOLDER', { dtype: 'fp32' }) // or 'USER/NAME'
const features = await extract('a.jpg', { pool: true }) // [1, ${description.featureDim}]`,
    ),
    'transformers.js resizes images in its own way, so that its features differ a little from those of trex (docs/models.md there); the same files with the same pixels as in training:',
    fenced(
      'js',
      `import { loadEncoder } from 'trex'

const encoder = await loadEncoder('.')
const { features } = await encoder.embed('a.jpg')`,
    ),
  ].join('\n\n')
