import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { SilenceWatch } from './silence.ts'

function listen(deadlineMs: number) {
  const watch = new SilenceWatch()
  onTestFinished(() => watch.close())
  const startedAt = performance.now()
  let silentMs = 0
  const silence = new Promise<void>((resolve) => {
    const waited = watch.begin({
      deadlineMs,
      totalMs: Number.POSITIVE_INFINITY,
      onSilence() {
        silentMs = performance.now() - startedAt
        resolve()
      },
    })
    Object.assign(control, { waited })
  })
  return { watch, silence, silentMs: () => silentMs, waited: control.waited }
}

const control = {} as { waited: ReturnType<SilenceWatch['begin']> }

test('silence is noticed after its deadline, and not before', async () => {
  const { silence, silentMs } = listen(250)
  await silence
  expect(silentMs()).toBeGreaterThanOrEqual(250)
})

test('whoever was heard, is excused or has ended is not silent', async () => {
  const heard = listen(300)
  const excused = listen(100)
  const ended = listen(100)
  excused.watch.excuse(excused.waited)
  ended.watch.end(ended.waited)
  for (let times = 0; times < 8; times += 1) {
    await sleep(100)
    heard.watch.heard(heard.waited)
  }
  expect([heard.silentMs(), excused.silentMs(), ended.silentMs()]).toEqual([0, 0, 0])
  excused.watch.heard(excused.waited)
  await excused.silence
  await heard.silence
})
