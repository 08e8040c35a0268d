/* Folders of a demo: removed and copied whole, files with their modes.  One thread. */
#ifndef CLI_FOLDER_H
#define CLI_FOLDER_H

#include "base/err.h"

void folder_remove(const char *path);
/* Regular files and folders; `to` is made. */
err folder_copy(const char *from, const char *to, struct fault *f) MUST_USE;

#endif
