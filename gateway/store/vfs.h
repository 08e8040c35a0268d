/* The file layer under SQLite: the system's own, but for the WAL, whose writes are collected.
 *
 * SQLite writes a commit as two system calls for every page (24 bytes of frame header, then the page).  A
 * group commit has hundreds of pages, and the calls cost more than the sync behind them.  Here they become
 * one write for every 120 KiB.  Nothing is seen or promised earlier than without it: what is collected is
 * written before the file is synced, read, measured, cut or closed, and with synchronous = FULL SQLite
 * makes a commit visible to other connections only after the sync. */
#ifndef STORE_VFS_H
#define STORE_VFS_H

/* Once per process, after sqlite3_initialize.  Aborts when it cannot. */
void vfs_start(void);
#define VFS_NAME "claimgate"

#endif
