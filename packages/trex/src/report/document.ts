import { type Html, html, trusted } from './html.js'
import { styleSheet } from './style.js'

/** Nothing may be loaded: pictures are data: URIs, and the one style sheet is inline. */
const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

/** A whole HTML file that stands by itself; `style` is added to the style sheet of all pages. */
export function htmlDocument({
  title,
  style = '',
  body,
}: {
  title: string
  style?: string
  body: Html
}): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${trusted(styleSheet + style)}</style>
</head>
<body>
${body}
</body>
</html>
`
}
