const svgNamespace = 'http://www.w3.org/2000/svg'
/** Light modules around the code that scanners need (ISO/IEC 18004). */
const quietModules = 4

/**
 * A QR code as an SVG element, made node by node: strings never become markup here.
 * @param {string[]} rows one string of `1` (dark) and `0` (light) for each row
 * @returns {SVGSVGElement}
 */
export function drawQr(rows) {
  const side = rows.length + 2 * quietModules
  const svg = document.createElementNS(svgNamespace, 'svg')
  svg.setAttribute('viewBox', `0 0 ${side} ${side}`)
  svg.setAttribute('shape-rendering', 'crispEdges')
  svg.setAttribute('role', 'img')
  svg.setAttribute('aria-label', 'QR code for your authenticator app; the same key stands beside it as text')
  const ground = document.createElementNS(svgNamespace, 'rect')
  ground.setAttribute('width', String(side))
  ground.setAttribute('height', String(side))
  ground.setAttribute('fill', '#ffffff')
  const dark = document.createElementNS(svgNamespace, 'path')
  dark.setAttribute('fill', '#000000')
  dark.setAttribute('d', rows.map(drawRow).join(''))
  svg.append(ground, dark)
  return svg
}

/** @param {string} row @param {number} y */
function drawRow(row, y) {
  return [...row.matchAll(/1+/g)]
    .map((run) => `M${run.index + quietModules} ${y + quietModules}h${run[0].length}v1h-${run[0].length}z`)
    .join('')
}
