/* Text on a terminal: widths in columns, marks, colour only where it is wanted.  One thread. */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include "base/view.h"

/* Columns on a terminal: ideographs and full-width forms take two. */
int screen_columns(view text);
/* Cut and padded to a width in columns. */
void screen_cell(view text, int width);
/* The escape when stdout has colour, else "". */
const char *screen_paint(const char *code);
/* "ok" or "FAIL" in a column of its own. */
void screen_mark(bool ok);
/* Of the terminal; 100 where there is none. */
int screen_width(void);

#endif
