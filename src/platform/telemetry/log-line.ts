const unsafe =
  /[\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e0fff}]|[\ufe00-\ufe0e]|\p{Surrogate}/gu

/**
 * The same JSON without a character that breaks a line, steers a terminal or hides from its reader: JSON escapes C0
 * controls by itself, the rest become escapes here.
 */
export function safeLine(json: string): string {
  return json.replace(unsafe, (character) =>
    Array.from({ length: character.length }, (_, index) => {
      return `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`
    }).join(''),
  )
}

const marks: Readonly<Record<string, string>> = { debug: 'debug', info: 'info ', warn: 'WARN ', error: 'ERROR' }
const bare = /^[\w./:@+-]+$/

function shown(value: unknown): string {
  return typeof value === 'string' && bare.test(value) ? value : safeLine(JSON.stringify(value))
}

/** A line for eyes: time of day, level, sentence and fields. @param json a line that `safeLine` has made safe */
export function prettyLine(json: string): string {
  const { time, level, msg, ...fields } = JSON.parse(json) as Record<string, unknown>
  const clock = typeof time === 'string' ? time.slice(11, 23) : ''
  const sentence = typeof msg === 'string' ? safeLine(JSON.stringify(msg)).slice(1, -1) : ''
  const rest = Object.entries(fields).map(([name, value]) => ` ${shown(name)}=${shown(value)}`)
  return `${clock} ${marks[String(level)] ?? String(level)} ${sentence}${rest.join('')}\n`
}
