/* Scopes of clients: what a list grants.  SMART App Launch v2 for system scopes (rights c, r, u, d, s, and the words
 * read, write, * of v1), other scopes are words.  Pure functions, any thread. */
#ifndef BASE_SCOPE_H
#define BASE_SCOPE_H

#include "base/view.h"

/* granted: space separated.  An empty need is granted by all. */
bool scopes_grant(view granted, view needed);

#endif
