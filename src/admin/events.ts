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

export const configReloaded = defineEvent({
  name: 'config.reloaded',
  says: 'the configuration was read again and its changed keys were put in force',
})

export const configRefused = defineEvent({
  name: 'config.refused',
  says: 'the configuration was read again and refused; the one before stayed in force',
})

export const castellanBroken = defineEvent({
  name: 'castellan.broken',
  says: 'something broke that nothing caught, and the process ended itself',
})

/** Every event of this room, for the catalogue. */
export const adminEvents = [adminRefused, adminFaulted, demoSeeded, configReloaded, configRefused, castellanBroken]
