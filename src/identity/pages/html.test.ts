import fc from 'fast-check'
import { expect, test } from 'vitest'
import { html, markupOf } from './html.ts'

test('text stays text, in the text of a page and in a quoted attribute', () => {
  const text = `"><script>alert('1')</script>&amp;`
  expect(markupOf(html`<p title="${text}">${text}</p>`)).toBe(
    '<p title="&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;">&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;</p>',
  )
})

test('no text of any kind opens a tag, closes an attribute or begins a reference of its own', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const written = markupOf(html`${text}`)
      expect(written).not.toMatch(/[<>"']/)
      expect(written.replace(/&(?:amp|lt|gt|quot|#39);/g, '')).not.toContain('&')
    }),
  )
})

test('markup is kept, lists are joined, and what is absent is nothing', () => {
  const items = ['a', 'b<'].map((one) => html`<i>${one}</i>`)
  expect(markupOf(html`${items}${undefined}${false}${0}`)).toBe('<i>a</i><i>b&lt;</i>0')
})
