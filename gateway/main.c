#include "base/digest.h"
#include "base/json.h"
#include "cli/command.h"
#include "signing/xmldsig.h"

#include <stdlib.h>

int
main(int argc, char **argv)
{
    digest_start();
    json_start();
    xmldsig_start();
    return command_main(argc, argv);
}
