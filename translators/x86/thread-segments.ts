/** Thread-local segments, as x86 Linux has them; a file of its own because the personality needs it for programs of any kind. */

/** Entry of the descriptor table of the first one, of a 64-bit kernel also to its 32-bit programs (GDT_ENTRY_TLS_MIN); its selector is 8 times that, and 3. */
export const threadSelector = 12;

/** How many of them a program may have (set_thread_area). */
export const threadSegments = 3;
