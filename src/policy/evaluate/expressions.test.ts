import { policyToJson } from '@cedar-policy/cedar-wasm/nodejs'
import { expect, test } from 'vitest'
import { createAsking } from '../../../test/world/policies/ask-rules.ts'
import type { EntityJson, JsonRequest } from '../../../test/world/policies/json-world.ts'
import { askOfficially } from '../../../test/world/policies/official.ts'
import { compileRules } from './compile-rules.ts'

const entities: EntityJson[] = [
  {
    uid: { type: 'P', id: 'ann' },
    attrs: { age: 7, word: 'hello', boss: { __entity: { type: 'P', id: 'bob' } }, none: [] },
    parents: [{ type: 'G', id: 'inner' }],
    tags: { colour: 'red', size: 3 },
  },
  { uid: { type: 'P', id: 'bob' }, attrs: { age: 9 }, parents: [] },
  { uid: { type: 'G', id: 'inner' }, attrs: {}, parents: [{ type: 'G', id: 'outer' }] },
  { uid: { type: 'R', id: 'r' }, attrs: {}, parents: [] },
]
const request: JsonRequest = {
  principal: { type: 'P', id: 'ann' },
  action: { type: 'Action', id: 'a' },
  resource: { type: 'R', id: 'r' },
  context: {
    yes: true,
    no: false,
    seven: 7,
    largest: 9_007_199_254_740_991,
    text: 'a*b',
    emoji: '😀',
    set: [1, 'a', { __entity: { type: 'P', id: 'ann' } }],
    record: { inner: { deep: 1 } },
    ip: { __extn: { fn: 'ip', arg: '10.1.2.3' } },
    at: { __extn: { fn: 'datetime', arg: '2026-03-01T12:30:45.678Z' } },
  },
}
const missing = 'context.missing'

const isTrue = [
  'true && context.yes',
  `context.no && ${missing} || true`,
  `context.yes || ${missing}`,
  'if context.no then context.missing else true',
  '!context.no',
  '1 + 2 * 3 == 7',
  '-(-5) == 5',
  '0 == -(0)',
  '1 - 2 < 0',
  'context.largest + 1 > context.largest',
  'context.largest * 1024 + 1023 == 1023 + 1024 * context.largest',
  'context.largest * -1024 - 1024 - context.largest * -1024 == -1024',
  'context.largest + 2 - context.largest == 2',
  '1 <= 1 && 1 >= 1 && 2 > 1 && !(1 > 1) && !(1 < 1)',
  '1 != "1"',
  '!(1 == true)',
  '[1, 2, 2] == [2, 1]',
  '[] == []',
  '{a: 1, b: [2]} == {b: [2, 2], a: 1}',
  '{a: 1} != {a: 1, b: 2}',
  '{a: 1} != {b: 1}',
  '[{a: 1}, {a: 1}] == [{a: 1}]',
  '["a:1", "b"] != ["a", "1:b"]',
  'context.set.contains("a") && context.set.contains(1) && context.set.contains(principal)',
  '!context.set.contains("1")',
  '[1, 2, 3].containsAll([3, 1]) && [1].containsAll([]) && ![1].containsAll([1, 2])',
  '[1, 2].containsAny([2, 3]) && ![1].containsAny([]) && ![1, "a"].containsAny(["1", 2, 3])',
  '["a", "b"].containsAll(["b"]) && ["a"].containsAny(["b", "a"])',
  'principal.none.isEmpty() && [].isEmpty() && ![1].isEmpty()',
  'context.text like "a\\*b" && context.text like "*" && context.text like "a*" && context.text like "*b"',
  '!("ab" like "a\\*b") && "axxb" like "a*x*b" && !("ab" like "ab*b") && "abab" like "ab*ab"',
  '"" like "" && "" like "*" && !("" like "?") && !("a" like "")',
  'context.emoji like "😀" && context.emoji like "*😀*"',
  '!("aba" like "ab*ba") && "abba" like "ab*ba" && "a-b-c" like "a*b*c" && !("a-c-b" like "a*b*c")',
  'principal in G::"inner" && principal in G::"outer" && principal in P::"ann"',
  '!(principal in G::"other") && !(resource in G::"outer") && !(P::"inner" in G::"outer")',
  'principal in [G::"other", G::"outer"] && !(principal in [])',
  'P::"nobody" in P::"nobody" && !(P::"nobody" in G::"outer")',
  'principal is P && !(principal is G) && principal is P in G::"outer" && !(principal is G in context.missing)',
  'principal.boss.age == 9 && principal.boss is P',
  'principal has age && !(principal has nothing) && !(P::"nobody" has age)',
  'context has record.inner.deep && !(context has record.inner.other) && !(context has nothing.inner)',
  'principal has boss.age && !(principal has boss.boss)',
  '!(context has "__proto__") && !(principal has "constructor") && !({} has "toString")',
  '{"__proto__": 1} has "__proto__" && {"__proto__": 1}["__proto__"] == 1',
  'principal.hasTag("colour") && principal.getTag("colour") == "red" && !principal.hasTag("nothing")',
  '!P::"nobody".hasTag("colour") && !principal.hasTag("__proto__")',
  'ip("10.0.0.1").isIpv4() && ip("::1").isIpv6() && !ip("::1").isIpv4() && !ip("1.1.1.1").isIpv6()',
  'ip("127.9.9.9").isLoopback() && ip("::1").isLoopback() && !ip("126.0.0.1").isLoopback() && !ip("::2").isLoopback()',
  '!ip("127.0.0.0/7").isLoopback() && ip("127.0.0.0/8").isLoopback() && !ip("::1/127").isLoopback()',
  'ip("224.0.0.1").isMulticast() && ip("ff02::1").isMulticast() && !ip("223.0.0.1").isMulticast() && !ip("fe00::1").isMulticast()',
  'context.ip.isInRange(ip("10.0.0.0/8")) && !context.ip.isInRange(ip("10.1.2.4/32")) && !context.ip.isInRange(ip("::/0"))',
  'ip("10.0.0.0/24").isInRange(ip("10.0.0.0/16")) && !ip("10.0.0.0/8").isInRange(ip("10.0.0.0/16"))',
  'ip("10.0.0.1") == ip("10.0.0.1/32") && ip("10.0.0.1/8") != ip("10.0.0.0/8") && ip("0.0.0.1") != ip("::1")',
  'ip("1:2:3:4:5:6:7:8") == ip("0001:2:3:4:5:6:7:8/128") && ip("::") == ip("0:0:0:0:0:0:0:0") && ip("1::8") == ip("1:0:0:0:0:0:0:8")',
  'decimal("1.0") == decimal("1.0000") && decimal("-0.5").lessThan(decimal("0.0")) && decimal("-0.0") == decimal("0.0")',
  'decimal("1.1").greaterThan(decimal("1.0999")) && !decimal("1.1").lessThan(decimal("1.1"))',
  'decimal("1.1").lessThanOrEqual(decimal("1.1")) && decimal("1.1").greaterThanOrEqual(decimal("1.1")) && !decimal("1.1").greaterThan(decimal("1.1"))',
  '!decimal("1.2").lessThanOrEqual(decimal("1.1")) && !decimal("1.0").greaterThanOrEqual(decimal("1.1"))',
  'decimal("922337203685477.5807").greaterThan(decimal("-922337203685477.5808"))',
  'datetime("1970-01-01") < datetime("1970-01-01T00:00:00.001Z") && datetime("2024-02-29") == datetime("2024-02-29T00:00:00Z")',
  'datetime("2026-03-01T12:00:00+0130") == datetime("2026-03-01T10:30:00Z") && datetime("2026-03-01T12:00:00-0130") == datetime("2026-03-01T13:30:00.000Z")',
  'datetime("1970-01-02").durationSince(datetime("1970-01-01")) == duration("1d") && datetime("1970-01-01").offset(duration("-1d")) == datetime("1969-12-31")',
  'context.at.toDate() == datetime("2026-03-01") && context.at.toTime() == duration("12h30m45s678ms")',
  'datetime("1969-12-31T23:00:00Z").toDate() == datetime("1969-12-31") && datetime("1969-12-31T23:00:00Z").toTime() == duration("23h")',
  'duration("1d2h3m4s5ms").toMilliseconds() == 93784005 && duration("90m").toHours() == 1 && duration("-90m").toHours() == -1',
  'duration("36h").toDays() == 1 && duration("61s").toMinutes() == 1 && duration("1999ms").toSeconds() == 1',
  'duration("1m") < duration("61s") && duration("1m") == duration("60s") && duration("-1ms") <= duration("0ms") && duration("1m") > duration("1ms")',
  'duration("-9223372036854775808ms") < duration("9223372036854775807ms")',
  'datetime("0000-01-01") < datetime("9999-12-31T23:59:59.999Z") && datetime("0000-01-01").durationSince(datetime("0001-01-01")) == duration("-366d")',
]

const errs = [
  missing,
  '1 && true',
  'true && 1',
  'false || 1',
  '"a" || true',
  '!1',
  'if 1 then true else true',
  '1 + "a" == 1',
  '-"a" == 1',
  '"a" < "b"',
  '1 < datetime("1970-01-01")',
  'duration("1d") < datetime("1970-01-01")',
  'context.largest * 1024 + 1024 > 0',
  'context.largest * -1024 - 1025 < 0',
  '-(context.largest * -1024 - 1024) == 0',
  'context.largest * context.largest == 0',
  '1.contains(1)',
  '[1].containsAll(1)',
  '1.containsAny([1])',
  'context.text.isEmpty()',
  '1 like "1"',
  'principal in 1',
  '1 in principal',
  'principal in [principal, 1]',
  'principal in ["a"]',
  '1 is P',
  'principal is P in 1',
  'principal.nothing == 1',
  'P::"nobody".age == 1',
  'context.record.nothing == 1',
  '1 has age',
  'context has seven.inner',
  'principal.getTag("nothing") == 1',
  'P::"nobody".getTag("colour") == 1',
  'context.hasTag("colour")',
  'principal.hasTag(1)',
  '"a".isIpv4()',
  'ip("1").isIpv4()',
  'ip("01.2.3.4").isIpv4()',
  'ip("1.2.3.4.5").isIpv4()',
  'ip("1.2.3.256").isIpv4()',
  'ip("1.2.3.4/33").isIpv4()',
  'ip("1.2.3.4/01").isIpv4()',
  'ip("::1/129").isIpv4()',
  'ip("1:2:3:4:5:6:7:8:9").isIpv6()',
  'ip("1:2:3:4:5:6:7::8").isIpv6()',
  'ip("1::2::3").isIpv6()',
  'ip(":1:2:3:4:5:6:7").isIpv6()',
  'ip("12345::").isIpv6()',
  'ip("::ffff:1.2.3.4").isIpv6()',
  'ip("::1%1").isIpv6()',
  'context.ip.isInRange("10.0.0.0/8")',
  'decimal("1").lessThan(decimal("1.0"))',
  'decimal("1.00000").lessThan(decimal("1.0"))',
  'decimal("922337203685477.5808").lessThan(decimal("1.0"))',
  'decimal("-922337203685477.5809").lessThan(decimal("1.0"))',
  'decimal("1.0").lessThan(1)',
  'datetime("2023-02-29") == datetime("2023-02-29")',
  'datetime("2024-01-01T24:00:00Z").toDate() == 1',
  'datetime("2024-01-01T00:60:00Z").toDate() == 1',
  'datetime("2024-01-01T00:00:60Z").toDate() == 1',
  'datetime("2024-01-01T00:00:00+2400").toDate() == 1',
  'datetime("2024-01-01T00:00:00+0060").toDate() == 1',
  'datetime("2024-01-01T00:00:00").toDate() == 1',
  'datetime("2024-00-01").toDate() == 1',
  'duration("").toDays() == 1',
  'duration("-").toDays() == 1',
  'duration("1ms1s").toDays() == 1',
  'duration("9223372036854775808ms").toDays() == 1',
  'duration("-9223372036854775809ms").toDays() == 1',
  'datetime("1970-01-01").offset(duration("9223372036854775807ms")).offset(duration("1ms")) == 1',
  'datetime("1970-01-01").offset(duration("-9223372036854775808ms")).toDate() == 1',
  'datetime("1970-01-02").durationSince(datetime("1970-01-01").offset(duration("-9223372036854775808ms"))) == 1',
]

function judge(expression: string) {
  const parsed = policyToJson(`permit (principal, action, resource) when { ${expression} };`)
  if (parsed.type === 'failure') throw new Error(`${expression}: ${parsed.errors[0]?.message}`)
  const policies = [{ id: 'rule', json: parsed.json }]
  const world = { policies, entities, requests: [request] }
  return { ours: compileRules(policies).judge(createAsking(world)(request)), official: askOfficially(world)(request) }
}

test.each(isTrue)('%s: holds, and Cedar says so', (expression) => {
  const { ours, official } = judge(expression)
  expect(official).toEqual({ isAllowed: true, deciding: ['rule'], erring: [] })
  expect(ours).toEqual({ outcome: 'allow', deciding: ['rule'], undecided: [], errors: [] })
})

test.each(isTrue)('!(%s): does not hold, and Cedar says so', (expression) => {
  const { ours, official } = judge(`!(${expression})`)
  expect(official).toEqual({ isAllowed: false, deciding: [], erring: [] })
  expect(ours).toEqual({ outcome: 'deny', deciding: [], undecided: [], errors: [] })
})

test.each(errs)('%s: cannot be reckoned, and Cedar says so', (expression) => {
  const { ours, official } = judge(expression)
  expect(official.erring).toEqual(['rule'])
  expect(ours).toMatchObject({ outcome: 'deny', deciding: [], errors: [{ id: 'rule' }] })
})
