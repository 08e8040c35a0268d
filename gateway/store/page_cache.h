/* The page cache under SQLite: the library's own, which is told only of a truncation that can drop something.
 *
 * When a tree is balanced, SQLite gives a page the number of the lock page (1 GiB into the file) for a moment, so that
 * two pages can change places.  Its cache keeps the highest number that it ever saw, and with each commit it drops
 * what lies behind the file's end: so each commit of a file below 1 GiB walks through all pages that are cached (335 µs
 * for 64 MiB of them, longer than all else of a commit but the sync).  Here the highest number goes back when that page
 * has its own again. */
#ifndef STORE_PAGE_CACHE_H
#define STORE_PAGE_CACHE_H

/* Once per process, before sqlite3_initialize.  Aborts when it cannot. */
void page_cache_configure(void);

#endif
