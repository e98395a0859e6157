import { defineEvent } from '#audit'

export const adminRefused = defineEvent({
  name: 'admin.refused',
  says: 'a request to the admin API was refused before it had an effect',
})

export const adminFaulted = defineEvent({
  name: 'admin.faulted',
  says: 'a request to the admin API failed because something broke; the caller was told only the request id',
})

export const demoSeeded = defineEvent({
  name: 'admin.demo-seeded',
  says: 'the demo upstream with its approved tools and the demo roles were put into an empty installation',
})

/** Every event of this room, for the catalogue. */
export const adminEvents = [adminRefused, adminFaulted, demoSeeded]
