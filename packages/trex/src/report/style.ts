/** The style sheet of a report: a light and a dark palette, one column on a phone. Contrast of text is 4.5:1 or more. */
export const styleSheet = `
:root {
  color-scheme: light dark;
  --ground: #ffffff; --panel: #f6f7f8; --rule: #dde1e5; --text: #1b2026; --quiet: #58616b;
  --grid: #e6e9ec; --best: #fff3c9; --right: #12744a; --wrong: #b3261e; --link: #0b5cad;
  --model-0: #0b5cad; --model-1: #b34e00; --model-2: #6a4a9c; --baseline: #68717b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #13171b; --panel: #1b2026; --rule: #333b44; --text: #e7eaed; --quiet: #a4aeb8;
    --grid: #2a3138; --best: #4a3d10; --right: #5ccf96; --wrong: #ff8a80; --link: #7cbcff;
    --model-0: #6db5ff; --model-1: #ffa45c; --model-2: #c3a6f5; --baseline: #9aa4ae;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 1128px; padding: 56px 24px 72px; background: var(--ground); color: var(--text);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; -webkit-text-size-adjust: 100%;
}
h1, h2, h3, h4, p, figure, ul, ol { margin: 0; padding: 0; }
h1 { font-size: 34px; line-height: 1.15; letter-spacing: -0.02em; text-wrap: balance; }
h2 { font-size: 22px; line-height: 1.25; letter-spacing: -0.01em; margin-bottom: 8px; }
h3 { font-size: 15px; line-height: 1.3; }
h4 { font-size: 13px; font-weight: 500; color: var(--quiet); }
p { max-width: 46rem; }
a { color: var(--link); text-underline-offset: 2px; }
section { margin-top: 64px; }
section > p { margin-bottom: 20px; color: var(--quiet); }
.subtitle { margin-top: 10px; font-size: 18px; line-height: 1.45; }
.meta { display: flex; flex-wrap: wrap; gap: 2px 20px; margin-top: 14px; font-size: 14px; color: var(--quiet); }
header + main > section:first-child { margin-top: 40px; }

.scroll { overflow-x: auto; }
.scroll:focus-visible { outline: 2px solid var(--link); outline-offset: 4px; }
table { border-collapse: collapse; font-size: 15px; }
caption { text-align: left; padding-bottom: 12px; font-size: 14px; color: var(--quiet); }
caption span { display: inline-block; position: sticky; left: 0; max-width: calc(100vw - 32px); }
.word { white-space: nowrap; }
th, td { padding: 8px 0 8px 28px; text-align: right; vertical-align: baseline; border-top: 1px solid var(--rule); }
th { font-weight: 600; }
thead th, thead td { border-top: 0; vertical-align: bottom; line-height: 1.3; }
th[scope=row], thead tr > :first-child { padding-left: 0; text-align: left; }
th[scope=row] { font-weight: 400; }
.total > * { border-top: 2px solid var(--quiet); }
.results { width: 100%; font-size: 17px; }
.results thead { font-size: 15px; }
.results td { white-space: nowrap; }
.results .total th { font-weight: 600; }
.best { font-weight: 700; background: var(--best); border-radius: 5px; padding: 3px 8px; margin-right: -8px; }
.quiet, th.quiet { color: var(--quiet); font-weight: 400; }
.text th, .text td { text-align: left; overflow-wrap: anywhere; }
.text th:first-child { padding-left: 0; overflow-wrap: normal; }
section > .note { margin: 10px 0 0; font-size: 14px; }
.reading { max-width: 50rem; margin-top: 32px; padding: 20px 24px; border-radius: 10px; background: var(--panel); }
.reading p { margin-top: 6px; max-width: none; font-size: 15px; }
details { margin-top: 20px; font-size: 14px; }
details[open] { display: flow-root; }
details .scroll { display: inline-block; max-width: 100%; vertical-align: top; margin: 16px 56px 0 0; }
details table { font-size: 14px; }
summary { cursor: pointer; color: var(--link); }

.mark { vertical-align: -2px; margin-right: 2px; overflow: visible; }
.mark path, .dot { fill: var(--tone); }
.model-0 { --tone: var(--model-0); }
.model-1 { --tone: var(--model-1); }
.model-2 { --tone: var(--model-2); }
.baseline { --tone: var(--baseline); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 24px; list-style: none; font-size: 14px; margin-bottom: 20px; }
.multiples { display: grid; align-items: end; gap: 36px 48px; }
.multiples.two { grid-template-columns: repeat(auto-fill, minmax(min(420px, 100%), 1fr)); }
.multiples.three { grid-template-columns: repeat(auto-fill, minmax(min(300px, 100%), 1fr)); gap: 36px 28px; }
.chart figcaption { display: flex; justify-content: space-between; gap: 12px; font-size: 15px; font-weight: 600; margin-bottom: 8px; }
.chart .chance { font-size: 13px; font-weight: 400; color: var(--quiet); white-space: nowrap; }
.chart > svg { display: block; width: 100%; overflow: visible; }
.dots { padding-right: 48px; }
.dots figcaption { margin-right: -48px; }
.dots figcaption { align-items: baseline; }
.grid line { stroke: var(--grid); }
.axis text, .label { font-size: 12px; fill: var(--quiet); }
.axis.x text { text-anchor: middle; }
.axis.y text, .label.end { text-anchor: end; }
.line { fill: none; stroke: var(--tone); stroke-width: 2; stroke-linejoin: round; }
.model-1 .line { stroke-dasharray: 6 3; }
.model-2 .line { stroke-dasharray: 2 2; }
.stem { stroke: var(--tone); stroke-width: 2; }
.value { font-size: 13px; font-weight: 600; fill: var(--tone); }
.guess { stroke: var(--text); stroke-width: 1.5; stroke-dasharray: 3 3; }

img { display: block; background: #fff; border-radius: 6px; }
.sheets { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(500px, 100%), 1fr)); gap: 32px 40px; }
.sheet h3 { padding-bottom: 8px; margin-bottom: 10px; border-bottom: 1px solid var(--rule); }
.strips { display: flex; flex-wrap: wrap; gap: 14px 20px; }
.strip h4 { margin-bottom: 4px; }
.strip:last-child { flex: 1 1 200px; }
.images { display: flex; flex-wrap: wrap; gap: 6px; }
.images img { outline: 1px solid var(--rule); outline-offset: -1px; }
.queries { display: grid; gap: 28px; }
.query { display: grid; grid-template-columns: 132px 1fr; gap: 24px; padding-top: 20px; border-top: 1px solid var(--rule); }
.frame img { width: 100%; height: 100%; }
.asked img { outline: 1px solid var(--rule); outline-offset: -1px; }
.asked h3 { margin-top: 8px; overflow-wrap: anywhere; }
.answers { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(420px, 100%), 1fr)); gap: 20px 32px; }
.score { margin-left: 6px; font-weight: 600; color: var(--text); }
.hits { display: grid; grid-template-columns: repeat(auto-fill, 66px); gap: 12px 9px; list-style: none; margin-top: 8px; }
.hits li { display: grid; font-size: 12px; line-height: 1.3; align-content: start; }
.frame { position: relative; aspect-ratio: 1; border: 3px solid var(--frame); border-radius: 9px; padding: 1px; background: #fff; }
.right { --frame: var(--right); }
.wrong { --frame: var(--wrong); }
.wrong .frame { border-style: dashed; }
.verdict {
  position: absolute; right: -7px; top: -7px; width: 19px; height: 19px; border-radius: 50%; background: var(--frame);
  color: var(--ground); font-size: 12px; font-weight: 700; line-height: 19px; text-align: center;
}
.similarity { margin-top: 5px; font-weight: 600; }
.name { color: var(--quiet); overflow-wrap: anywhere; }
section > .credits { margin: 24px 0 0; font-size: 13px; max-width: 58rem; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

@media (max-width: 620px) {
  body { padding: 32px 16px 48px; }
  h1 { font-size: 27px; }
  section { margin-top: 48px; }
  th, td { padding-left: 12px; }
  .results { font-size: 15px; }
  .results thead { font-size: 13px; }
  .results th, .results td { padding-left: 10px; }
  .results .best { padding: 2px 5px; margin-right: -5px; }
  .results thead .mark { display: block; margin: 0 0 2px auto; }
  .results th[scope=row], .results thead td { padding-left: 0; min-width: 88px; font-size: 14px; line-height: 1.35; }
  .reading { padding: 16px; }
  .query { grid-template-columns: 1fr; gap: 14px; }
  .asked { display: flex; align-items: center; gap: 14px; }
  .hits { grid-template-columns: repeat(auto-fill, minmax(58px, 1fr)); }
}
@media print {
  body { padding: 0; }
  article, figure, tr { break-inside: avoid; }
}
`
