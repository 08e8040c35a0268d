#include "base/digest.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/command.h"
#include "signing/xml/xmldsig.h"

#include <stdlib.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
    digest_start();
    json_start();
    xmldsig_start();
    log_start(LEVEL_ERROR, STDERR_FILENO); /* serve sets the configured level */
    return command_main(argc, argv);
}
