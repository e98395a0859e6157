import { fit, printable, widthOf } from './printable.ts'

export type Tone = 'good' | 'bad' | 'warn' | 'dim' | 'strong'
/** A piece of text and how it is meant; the text is made printable when it is painted. */
export type Span = string | { readonly text: string; readonly tone: Tone }

export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => Span | undefined
  /** Keeps its width when the table is too wide for the terminal. */
  readonly isFixed?: boolean
}

const gapCells = 2
const narrowestCells = 6

function textOf(span: Span): string {
  return printable(typeof span === 'string' ? span : span.text)
}

/** Index of the widest column that may give way; -1 when none can. */
function widestOf(widths: readonly number[], mayShrink: (index: number) => boolean): number {
  return widths.reduce((widest, cells, index) => {
    if (!mayShrink(index) || cells <= narrowestCells) return widest
    return widest === -1 || cells > (widths[widest] ?? 0) ? index : widest
  }, -1)
}

/**
 * Column widths that fit: the widest flexible column gives way first, then fixed ones, the first column last.
 * @param maxCells width of the terminal; Infinity leaves everything whole
 */
export function columnWidths(natural: readonly { cells: number; isFixed: boolean }[], maxCells: number): number[] {
  const widths = natural.map((column) => column.cells)
  const gaps = gapCells * Math.max(0, widths.length - 1)
  const stages = [(index: number) => natural[index]?.isFixed !== true, (index: number) => index > 0, () => true]
  for (const mayShrink of stages) {
    while (widths.reduce((sum, cells) => sum + cells, gaps) > maxCells) {
      const widest = widestOf(widths, mayShrink)
      if (widest === -1) break
      widths[widest] = (widths[widest] ?? 0) - 1
    }
  }
  return widths
}

/** Lines of a table, header first. `paint` adds colour after the widths are known. */
export function tableLines<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  options: { maxCells: number; paint: (span: Span) => string },
): string[] {
  const header: Span[] = columns.map((column) => ({ text: column.title, tone: 'dim' }))
  const grid: Span[][] = [header, ...rows.map((row) => columns.map((column) => column.cell(row) ?? ''))]
  const natural = columns.map((column, index) => ({
    cells: Math.max(...grid.map((cells) => widthOf(textOf(cells[index] ?? '')))),
    isFixed: column.isFixed === true,
  }))
  const widths = columnWidths(natural, options.maxCells)
  return grid.map((cells) => {
    const painted = cells.map((span, index) => {
      const text = fit(textOf(span), widths[index] ?? 0)
      const isLast = index === cells.length - 1
      const padding = isLast ? '' : ' '.repeat(Math.max(0, (widths[index] ?? 0) - widthOf(text)))
      return options.paint(typeof span === 'string' ? text : { ...span, text }) + padding
    })
    return painted.join(' '.repeat(gapCells)).trimEnd()
  })
}
